"""Clips out of a store, or out of the files, as torch batches."""
