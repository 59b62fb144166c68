"""Which frames are clips, which split they serve, and in which order they come."""
