"""What `benchmarks/page.py` draws: a sweep that nobody trained."""
