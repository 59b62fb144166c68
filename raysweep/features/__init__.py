"""Frozen networks whose features measure images, and the one policy for their weights."""
