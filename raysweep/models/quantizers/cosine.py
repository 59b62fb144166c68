"""Vector quantization on the unit sphere: only directions count.

Yu et al. 2021, "Vector-quantized Image Modeling with Improved VQGAN" (ViT-VQGAN), section 3.2: latents and codes
are l2-normalised, and looked up in fewer dimensions than the decoder sees (`code_dim`).
"""

from typing import Literal

import torch.nn.functional as F
from einops import rearrange
from pydantic import Field
from torch import Tensor, autocast, nn

from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig

SHORTEST = 1e-4
"""Vectors shorter than this are not lengthened to 1, only divided by it: so much at most grow gradients."""


class CosineConfig(QuantizerConfig):
    kind: Literal["cosine"] = "cosine"
    beta: float = 0.25
    """Weight of the commitment term; the codebook term's is 1."""
    code_dim: int | None = Field(default=None, ge=1)
    """Dimensions in which codes are looked up, between two projections (the paper: 32); None: `embedding_dim`."""

    def build(self) -> "CosineQuantizer":
        return CosineQuantizer(self)


class CosineQuantizer(Quantizer):
    """Keys: `embedding.weight (K, code_dim)`, of which directions alone are used, and with a `code_dim`
    `project_{in,out}.{weight,bias}`."""

    def __init__(self, config: CosineConfig) -> None:
        super().__init__()
        self.codebook_sizes = (config.codebook_size,)
        self.beta = config.beta
        latent_dim, code_dim = config.embedding_dim, config.code_dim or config.embedding_dim
        projects = config.code_dim is not None
        self.project_in = nn.Linear(latent_dim, code_dim) if projects else nn.Identity()
        self.project_out = nn.Linear(code_dim, latent_dim) if projects else nn.Identity()
        self.embedding = nn.Embedding(config.codebook_size, code_dim)
        self.embedding.weight.data = _direction(self.embedding.weight.data)

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent_NhwD = rearrange(latent_NDhw.float(), "n d h w -> n h w d")
            direction_NhwE = _direction(self.project_in(latent_NhwD))
            codebook_KE = _direction(self.embedding.weight)
            codes_Nhw = (direction_NhwE.detach() @ codebook_KE.detach().t()).argmax(-1)
            chosen_NhwE = F.embedding(codes_Nhw, codebook_KE)
            commitment = F.mse_loss(direction_NhwE, chosen_NhwE.detach())
            codebook = F.mse_loss(chosen_NhwE, direction_NhwE.detach())
            straight_NhwE = direction_NhwE + (chosen_NhwE - direction_NhwE).detach()
            latent = rearrange(self.project_out(straight_NhwE), "n h w d -> n d h w")
            loss = self.beta * commitment + codebook
            return Quantized(latent, (codes_Nhw,), loss, commitment.detach())

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        chosen_NhwE = F.embedding(codes_Nhw, _direction(self.embedding.weight))
        return rearrange(self.project_out(chosen_NhwE), "n h w d -> n d h w")


def _direction(vectors: Tensor) -> Tensor:
    return F.normalize(vectors, dim=-1, eps=SHORTEST)
