"""Latents to quantize, and the lookup restated in numpy."""

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

K, D = 12, 6


def latent(seed: int = 0, spread: float = 1.0, dim: int = D) -> Tensor:
    return torch.randn(3, dim, 4, 4, generator=torch.Generator().manual_seed(seed)) * spread


def vectors(latent: Tensor) -> NDArray[np.float64]:
    """(N, D, h, w) -> (M, D)."""
    return rearrange(latent.detach(), "n d h w -> (n h w) d").double().numpy()


def nearest_of(vectors: NDArray[np.float64], book: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.square(vectors[:, None] - book[None]).sum(-1).argmin(1)
