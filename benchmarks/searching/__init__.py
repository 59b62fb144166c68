"""What benchmarks/search.py measures searches on, and with."""
