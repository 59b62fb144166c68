"""Vector quantization whose codebook is trained by gradient.

van den Oord et al. 2017, "Neural Discrete Representation Learning", eq. 3. Released VQGAN checkpoints
were trained with beta on the codebook term (`legacy_beta`), where the paper has it on the commitment term.
"""

from typing import Literal, NamedTuple

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, autocast, nn

from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig, nearest


class Weights(NamedTuple):
    """Of the two terms of the loss: latent towards codebook, codebook towards latent."""

    commitment: float
    codebook: float


class GradientConfig(QuantizerConfig):
    kind: Literal["gradient"] = "gradient"
    beta: float = 0.25
    """Weight of the commitment term (of the codebook term when `legacy_beta`); the other term's is 1."""
    legacy_beta: bool = True
    """Beta on the codebook term, as in every released VQGAN checkpoint."""

    def build(self) -> "GradientQuantizer":
        return GradientQuantizer(self)

    @property
    def weights(self) -> Weights:
        return Weights(1.0, self.beta) if self.legacy_beta else Weights(self.beta, 1.0)


class GradientQuantizer(Quantizer):
    """Key: `embedding.weight (K, D)`, drawn from uniform(-1/K, 1/K)."""

    def __init__(self, config: GradientConfig) -> None:
        super().__init__()
        self.codebook_sizes = (config.codebook_size,)
        self.weights = config.weights
        self.embedding = nn.Embedding(config.codebook_size, config.embedding_dim)
        nn.init.uniform_(self.embedding.weight, -1 / config.codebook_size, 1 / config.codebook_size)

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent = latent_NDhw.float()
            latent_MD = rearrange(latent.detach(), "n d h w -> (n h w) d")
            codes_M = nearest(latent_MD, self.embedding.weight.detach())
            codes = (codes_M.view(-1, *latent.shape[2:]),)
            chosen = self.vectors(codes)
            commitment = F.mse_loss(latent, chosen.detach())
            codebook = F.mse_loss(chosen, latent.detach())
            loss = self.weights.commitment * commitment + self.weights.codebook * codebook
            straight = latent + (chosen - latent).detach()
            return Quantized(straight, codes, loss, commitment.detach())

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        return rearrange(self.embedding(codes_Nhw), "n h w d -> n d h w")
