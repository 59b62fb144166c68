"""Frames into a prepared store, and what it says of itself."""
