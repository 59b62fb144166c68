"""Models scored on any footage: video after video, a few frames at a time, however much there is."""
