"""Vector quantization whose codebook is one learned linear map of fixed random vectors: all codes move together.

Zhu et al. 2024, "Addressing Representation Collapse in Vector Quantized Models with One Linear Layer" (SimVQ).
The codebook is vector-quantize-pytorch's; the lookup, of any number of frames of any size, is ours.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, autocast

from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig


class SimVQConfig(QuantizerConfig):
    kind: Literal["simvq"] = "simvq"
    beta: float = 0.25
    """Weight of the commitment term; the codebook term's is 1."""

    def build(self) -> "SimVQQuantizer":
        return SimVQQuantizer(self)


class SimVQQuantizer(Quantizer):
    """Keys: `simvq.frozen_codebook (K, D)`, a buffer, and `simvq.code_transform.weight (D, D)`."""

    def __init__(self, config: SimVQConfig) -> None:
        from vector_quantize_pytorch import SimVQ  # two seconds, which only who uses it should wait

        super().__init__()
        self.codebook_sizes = (config.codebook_size,)
        self.beta = config.beta
        self.simvq = SimVQ(config.embedding_dim, config.codebook_size)

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent, height = latent_NDhw.float(), latent_NDhw.shape[2]
            latent_NMD = rearrange(latent, "n d h w -> n (h w) d")
            codebook_KD = self.simvq.codebook
            codes_NM = torch.cdist(latent_NMD.detach(), codebook_KD.detach()).argmin(-1)
            codes_Nhw = rearrange(codes_NM, "n (h w) -> n h w", h=height)
            chosen_NhwD = F.embedding(codes_Nhw, codebook_KD)
            chosen = rearrange(chosen_NhwD, "n h w d -> n d h w")
            commitment = F.mse_loss(latent, chosen.detach())
            loss = F.mse_loss(latent.detach(), chosen) + self.beta * commitment
            straight = latent + (chosen - latent).detach()
            return Quantized(straight, (codes_Nhw,), loss, commitment.detach())

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        return rearrange(F.embedding(codes_Nhw, self.simvq.codebook), "n h w d -> n d h w")
