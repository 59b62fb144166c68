"""Residual vector quantization: every stage quantizes what the stages before it left over.

Zeghidour et al. 2021, "SoundStream", algorithm 1. The stages are our own moving-average codebooks and not
vector-quantize-pytorch's ResidualVQ: there every stage adds a straight-through gradient, so that the latent
gets its gradient as many times as there are stages, or else only the first stage has a commitment term; W
workers start and revive codes other than one worker would; and each stage holds all ids for each vector.
"""

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, autocast, nn

from raysweep.models.quantizers.base import Quantized, Quantizer
from raysweep.models.quantizers.ema import EMAQuantizer, MovingAverageConfig


class ResidualConfig(MovingAverageConfig):
    """The settings of moving-average codebooks hold for each stage."""

    kind: Literal["residual"] = "residual"
    stages: int = Field(default=4, ge=1)
    """Codebooks, of `codebook_size` each; a code map each."""

    def build(self) -> "ResidualQuantizer":
        return ResidualQuantizer(self)


class ResidualQuantizer(Quantizer):
    """Keys: `stages.{i}.` and those of an EMAQuantizer. Loss and commitment are sums over the stages."""

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__()
        self.codebook_sizes = (config.codebook_size,) * config.stages
        self.stages = nn.ModuleList(EMAQuantizer(config) for _ in range(config.stages))

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent = latent_NDhw.float()
            left = latent
            quantized: list[Quantized] = []
            for stage in self.stages:
                quantized.append(stage(left))
                left = left - quantized[-1].latent_NDhw.detach()
            return Quantized(
                latent - left.detach(),
                tuple(codes for one in quantized for codes in one.codes),
                torch.stack([one.loss for one in quantized]).sum(),
                torch.stack([one.commitment for one in quantized]).sum(),
            )

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        stages = cast("list[EMAQuantizer]", self.stages)
        chosen = [stage.vectors((ids,)) for stage, ids in zip(stages, codes, strict=True)]
        return torch.stack(chosen).sum(0)
