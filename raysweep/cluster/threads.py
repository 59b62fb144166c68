"""A worker computes on as many CPU cores as it takes, whatever else its node has.

Ray gives a process OMP_NUM_THREADS by its CPUs, which NumPy and MKL heed. Torch's pool between operations is left alone:
nothing here uses it. No Ray Data runs in a trial either: it prepares and places the frames before, and trials read them.
"""

import os

import cv2
import torch


def limit_threads(cpus: int) -> None:
    """Of this process: operations of torch and OpenCV, and the compiler of `training.compile`."""
    torch.set_num_threads(cpus)
    cv2.setNumThreads(cpus)
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = str(cpus)
