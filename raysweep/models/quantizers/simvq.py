"""Vector quantization whose codebook is one learned linear map of fixed random vectors: all codes move together.

Zhu et al. 2024, "Addressing Representation Collapse in Vector Quantized Models with One Linear Layer" (SimVQ).
The layer is vector-quantize-pytorch's, with the paper's straight-through gradient in place of its rotation.
"""

from typing import Literal

import torch.nn.functional as F
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
        self.simvq = SimVQ(
            config.embedding_dim,
            config.codebook_size,
            channel_first=True,
            rotation_trick=False,
            input_to_quantize_commit_loss_weight=config.beta,
        )

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent, codes, loss = self.simvq(latent_NDhw.float())
            commitment = F.mse_loss(latent_NDhw.detach().float(), latent.detach())
            return Quantized(latent, (codes,), loss, commitment)

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        latent: Tensor = self.simvq.indices_to_codes(codes_Nhw)
        return latent
