"""What every quantizer is: a layer that replaces each latent vector by one of `codebook_size` others.

Shapes: N frames, D latent channels, h w latent positions, K codebook ids, M = N*h*w latent vectors.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from raysweep import parallel
from raysweep.schema import Config


class QuantizerConfig(Config):
    """What all quantizers are asked."""

    codebook_size: int = Field(default=1024, ge=1)
    """K: ids a position can take."""
    embedding_dim: int = Field(default=256, ge=1)
    """D: channels of one codebook vector."""


class Quantized(NamedTuple):
    """`latent_NDhw` carries straight-through gradients; `codes_Nhw` int64 in [0, K); `loss` a scalar."""

    latent_NDhw: Tensor
    codes_Nhw: Tensor
    loss: Tensor


class Quantizer(nn.Module, ABC):
    """Subclasses add parameters or buffers under the key names of their published checkpoints."""

    codebook_size: int
    embedding_dim: int

    @abstractmethod
    def forward(self, latent_NDhw: Tensor) -> Quantized:
        """Quantizes in float32 whatever the autocast; updates statistics only in training mode."""

    @abstractmethod
    def vectors(self, codes_Nhw: Tensor) -> Tensor:
        """Ids -> their codebook vectors (N, D, h, w)."""


def nearest(latent_MD: Tensor, codebook_KD: Tensor) -> Tensor:
    """Index of the nearest codebook vector by squared L2, expanded so that it is one matrix product.

    Both are moved to the codebook's centre first: where all vectors lie close together, the expanded
    terms would cancel and leave rounding to choose.
    """
    centre_D = codebook_KD.mean(0)
    codebook_KD = codebook_KD - centre_D
    squares_K = codebook_KD.square().sum(1)
    return torch.addmm(squares_K, latent_MD - centre_D, codebook_KD.t(), alpha=-2).argmin(1)


def perplexity(codes: Tensor, codebook_size: int, *, all_ranks: bool = False) -> Tensor:
    """exp of the entropy of the ids in this batch: 1 when one id is used, K when all are, equally.

    `all_ranks`: of the global batch; every rank must then call at once, as in training and not elsewhere.
    """
    count_K = torch.bincount(codes.flatten(), minlength=codebook_size)
    if all_ranks:
        count_K = parallel.total(count_K)
    share_K = count_K.float() / count_K.sum()
    return torch.exp(torch.special.entr(share_K).sum())
