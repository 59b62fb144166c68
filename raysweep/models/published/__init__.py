"""Checkpoints that others publish, in and out: read a file without running it (`foreign`), find the networks
in it under our names (`naming`), fit them into a run (`fitting`, `channels`), write one (`formats`)."""
