"""What `benchmarks/data.py` measures with: footage, readers that give the same clips, clocks and memory."""
