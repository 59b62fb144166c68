"""Which codebook size and loss weights suit a small VQGAN on these clips? About five minutes on two CPU cores."""
