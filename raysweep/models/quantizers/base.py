"""What every quantizer is: a layer that replaces each latent vector by one of finitely many others.

Shapes: N frames, D latent channels, h w latent positions, K codebook ids, M = N*h*w latent vectors.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from raysweep import parallel
from raysweep.schema import Config


class QuantizerConfig(Config):
    """What all quantizers are asked."""

    codebook_size: int = Field(default=1024, ge=1)
    """K: ids a position can take (in each head or residual stage, where there are several)."""
    embedding_dim: int = Field(default=256, ge=1)
    """D: channels of the latent that is quantized."""


class Quantized(NamedTuple):
    """`latent_NDhw` carries straight-through gradients; `codes` int64 in [0, K), one (N, h, w) for each of
    `codebook_sizes`; `loss` a scalar; `commitment` the commitment term before its weight, which is the mean
    squared distance of vectors to their codes where these are looked up, without a gradient."""

    latent_NDhw: Tensor
    codes: tuple[Tensor, ...]
    loss: Tensor
    commitment: Tensor


class Quantizer(nn.Module, ABC):
    """Subclasses add parameters or buffers under the key names of their published checkpoints."""

    codebook_sizes: tuple[int, ...]
    """Ids of each code map: one map, or one per head or residual stage."""

    @abstractmethod
    def forward(self, latent_NDhw: Tensor) -> Quantized:
        """Quantizes in float32 whatever the autocast; updates statistics only in training mode."""

    @abstractmethod
    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Code maps -> the latent (N, D, h, w) that they stand for."""


def nearest(latent_MD: Tensor, codebook_KD: Tensor) -> Tensor:
    """Index of the nearest codebook vector by squared L2, expanded so that it is one matrix product.

    Both are moved by the codebook's shortest vector first: where all vectors lie close together, the expanded
    terms would cancel and leave rounding to choose. (The mean would not do: published moving-average
    codebooks hold unused codes at 1e5 times the others' distance, and it lies among those.)
    """
    centre_1D = codebook_KD[codebook_KD.square().sum(1).argmin(0, keepdim=True)]
    codebook_KD = codebook_KD - centre_1D
    squares_K = codebook_KD.square().sum(1)
    return torch.addmm(squares_K, latent_MD - centre_1D, codebook_KD.t(), alpha=-2).argmin(1)


def histogram(ids: Tensor, size: int) -> Tensor:
    """How often each id of `size` occurs, int64; torch.bincount would wait for a CUDA device to find the largest."""
    flat = ids.flatten()
    return flat.new_zeros(size).scatter_add_(0, flat, torch.ones_like(flat))


def perplexity(
    codes: Sequence[Tensor], codebook_sizes: Sequence[int], *, all_ranks: bool = False
) -> Tensor:
    """exp of the entropy of a code, meaned over all codes of this batch: 1 when one id is used, K when all
    are, equally. Maps with more positions weigh more, as in `metrics.codes`.

    `all_ranks`: of the global batch; every rank must then call at once, as in training and not elsewhere.
    """
    counts = torch.cat(
        [histogram(ids, size) for ids, size in zip(codes, codebook_sizes, strict=True)]
    )
    counts = (parallel.total(counts) if all_ranks else counts).float()
    nats = sum(
        (
            torch.special.entr(part / part.sum()).sum() * part.sum()
            for part in counts.split(list(codebook_sizes))
        ),
        counts.new_zeros(()),
    )
    return torch.exp(nats / counts.sum())
