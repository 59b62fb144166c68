"""What to try next and what to stop: no Ray, no files."""
