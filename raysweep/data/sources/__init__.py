"""Which footage there is, wherever it lies."""
