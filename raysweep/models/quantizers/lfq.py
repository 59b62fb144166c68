"""Lookup-free quantization: an id's bits are the signs of its latent's channels.

Yu et al. 2023, "Language Model Beats Diffusion" (MAGVIT-v2), section 3.1. The codes and projections are
vector-quantize-pytorch's. The loss is the same, but our own: between ranks the library divides the codes'
distribution by their number without having summed it, and each vector holds a probability for every id.
Bits are independent under that softmax, so that the entropy of a vector's code is a sum over its bits, and
the mean distribution of all vectors a product of two matrices.

Shapes: M latent vectors, B = log2 K bits.
"""

from math import log2
from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from pydantic import model_validator
from torch import Tensor, autocast

from raysweep import parallel
from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig

SHARPNESS = 100.0
"""Inverse temperature of a code's probability, softmax(-SHARPNESS * (squared distance)), as in the library."""
RAREST = 1e-10
"""Below this share an id's entropy has no steeper gradient."""


class LFQConfig(QuantizerConfig):
    kind: Literal["lfq"] = "lfq"
    entropy_weight: float = 0.1
    """Weight of the entropy terms: each vector sure of its code, and all codes used alike (eq. 5)."""
    diversity: float = 1.0
    """Weight, within the entropy terms, of all codes being used alike."""
    beta: float = 0.25
    """Weight of the commitment term."""

    @model_validator(mode="after")
    def _size_is_a_power_of_two(self) -> "LFQConfig":
        bits = round(log2(self.codebook_size))
        if bits < 1 or 2**bits != self.codebook_size:
            raise ValueError(
                f"codebook_size must be a power of two for LFQ, got {self.codebook_size}. "
                f"Set it to {2 ** max(1, bits)}."
            )
        return self

    def build(self) -> "LFQQuantizer":
        return LFQQuantizer(self)


class LFQQuantizer(Quantizer):
    """Keys: `lfq.mask`, and `lfq.project_{in,out}.{weight,bias}` where the latent has other than B channels."""

    def __init__(self, config: LFQConfig) -> None:
        from vector_quantize_pytorch import LFQ  # two seconds, which only who uses it should wait

        super().__init__()
        self.config = config
        self.codebook_sizes = (config.codebook_size,)
        self.lfq = LFQ(dim=config.embedding_dim, codebook_size=config.codebook_size)

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            n, _, h, w = latent_NDhw.shape
            latent_MD = rearrange(latent_NDhw.float(), "n d h w -> (n h w) d")
            signal_MB = self.lfq.project_in(latent_MD)
            bits_MB = signal_MB > 0
            chosen_MB = self.lfq.bits_to_codes(bits_MB.float())
            codes = ((bits_MB * self.lfq.mask).sum(1).view(n, h, w),)
            straight_MB = signal_MB + (chosen_MB - signal_MB).detach()
            quantized_MD = self.lfq.project_out(straight_MB)
            latent = rearrange(quantized_MD, "(n h w) d -> n d h w", n=n, h=h, w=w)
            commitment = F.mse_loss(signal_MB, chosen_MB)
            loss = self._entropy_loss(signal_MB) + self.config.beta * commitment
            return Quantized(latent, codes, loss, commitment.detach())

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        latent: Tensor = self.lfq.indices_to_codes(codes_Nhw)
        return latent

    def _entropy_loss(self, signal_MB: Tensor) -> Tensor:
        # Squared distances to +1 and -1 differ by 4 x.
        logits_MB = 4 * SHARPNESS * signal_MB
        entropy = _entropy_of_each(logits_MB) - self.config.diversity * _entropy_of_all(logits_MB)
        return self.config.entropy_weight * entropy


def _entropy_of_each(logits_MB: Tensor) -> Tensor:
    """Nats of one vector's code, meaned over vectors."""
    bits_MB = F.binary_cross_entropy_with_logits(logits_MB, logits_MB.sigmoid(), reduction="none")
    return bits_MB.sum(1).mean()


def _entropy_of_all(logits_MB: Tensor) -> Tensor:
    """Nats of the distribution of codes over the global batch."""
    high, low = (_joint(half) for half in logits_MB.tensor_split(2, dim=1))
    vectors = len(logits_MB) * parallel.place().workers
    share_K = parallel.differentiable_total(high.t() @ low).flatten() / vectors
    return -(share_K * share_K.clamp_min(RAREST).log()).sum()


def _joint(logits_MB: Tensor) -> Tensor:
    """Probabilities of B independent bits' values -> of their 2^B combinations."""
    joint = logits_MB.new_ones(len(logits_MB), 1)
    for logit_M in logits_MB.unbind(1):
        one_M = logit_M.sigmoid()
        joint = torch.stack([joint * (1 - one_M)[:, None], joint * one_M[:, None]], 2).flatten(1)
    return joint
