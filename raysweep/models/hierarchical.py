"""VQ-VAE-2: Razavi et al. 2019, "Generating Diverse High-Fidelity Images with VQ-VAE-2", section 3.1.

A level encodes what the finer one encoded; a finer level's code is chosen knowing what the coarser ones
decode to. Arithmetic and attribute names are those of the public PyTorch implementation
(github.com/vvvm23/vqvae-2), with ReZero's residual blocks (Bachlechner et al. 2020, eq. 1). Levels count
from the finest, 0. In training mode batch normalization makes a frame's codes depend on its batch.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import log2
from operator import mul
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from raysweep.models.norm import GlobalBatchNorm2d, untracked
from raysweep.models.quantizers import EMAConfig, Quantized, QuantizerConfig
from raysweep.models.tokenizer import Encoded, Level, Tokenizer, TokenizerConfig


class HierarchicalConfig(TokenizerConfig):
    """Defaults: the paper's two levels for frames of 256 px."""

    kind: Literal["hierarchical"] = "hierarchical"
    hidden: int = Field(default=128, ge=2, multiple_of=2)
    """Channels of each level's features; half as many after its first convolution."""
    res_channels: int = Field(default=64, ge=1)
    """Channels inside a residual block."""
    nb_res_layers: int = Field(default=2, ge=1)
    """Residual blocks in every encoder and decoder."""
    scaling_rates: tuple[int, ...] = Field(default=(4, 2), min_length=1)
    """Powers of two, one per level, finest first: how much smaller its codes are than what it encodes."""
    wide_decoder: bool = False
    """Keep hidden/2 channels up to a decoder's last convolution. False, as published: past its first
    doubling a decoder has as many channels as its output, which is 3 in the finest."""
    quantizer: QuantizerConfig = EMAConfig(codebook_size=512, embedding_dim=64)
    """Of every level: one instance each, all with these settings."""

    @field_validator("scaling_rates")
    @classmethod
    def _powers_of_two(cls, rates: tuple[int, ...]) -> tuple[int, ...]:
        if any(rate < 2 or rate & (rate - 1) for rate in rates):
            raise ValueError(f"must be powers of two, 2 or more, got {list(rates)}. Try [4, 2]")
        return rates

    def build(self) -> "Hierarchical":
        return Hierarchical(self)


class ReZero(nn.Module):
    """x + alpha F(x), where alpha starts at 0."""

    def __init__(self, channels: int, res_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, res_channels, 3, padding=1, bias=False),
            GlobalBatchNorm2d(res_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(res_channels, channels, 3, padding=1, bias=False),
            GlobalBatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        self.alpha = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.alpha * self.layers(x)


class ResidualStack(nn.Module):
    def __init__(self, config: HierarchicalConfig) -> None:
        super().__init__()
        blocks = [ReZero(config.hidden, config.res_channels) for _ in range(config.nb_res_layers)]
        self.stack = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.stack(x)


def halve(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1)
    return nn.Sequential(convolution, GlobalBatchNorm2d(out_channels), nn.ReLU(inplace=True))


def double(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)
    return nn.Sequential(convolution, GlobalBatchNorm2d(out_channels), nn.ReLU(inplace=True))


class Encoder(nn.Module):
    """(N, in_channels, H, W) -> features (N, hidden, H/rate, W/rate)."""

    def __init__(self, config: HierarchicalConfig, in_channels: int, rate: int) -> None:
        super().__init__()
        steps = int(log2(rate))
        widths = [in_channels, config.hidden // 2, *[config.hidden] * (steps - 1)]
        self.layers = nn.Sequential(
            *(halve(widths[i], widths[i + 1]) for i in range(steps)),
            nn.Conv2d(widths[-1], config.hidden, 3, padding=1),
            GlobalBatchNorm2d(config.hidden),
            ResidualStack(config),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Decoder(nn.Module):
    """Latents (N, in_channels, h, w) -> (N, out_channels, h*rate, w*rate)."""

    def __init__(
        self, config: HierarchicalConfig, in_channels: int, out_channels: int, rate: int
    ) -> None:
        super().__init__()
        steps, half = int(log2(rate)), config.hidden // 2
        later = half if config.wide_decoder else out_channels
        widths = [config.hidden, half, *[later] * (steps - 1)]
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, config.hidden, 3, padding=1),
            ResidualStack(config),
            *(double(widths[i], widths[i + 1]) for i in range(steps)),
            nn.Conv2d(widths[-1], out_channels, 3, padding=1),
            GlobalBatchNorm2d(out_channels),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)


class Codebook(nn.Module):
    """A level's quantizer behind its 1x1 convolution."""

    def __init__(self, config: HierarchicalConfig, in_channels: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(in_channels, config.quantizer.embedding_dim, 1)
        self.quantize = config.quantizer.build()

    def forward(self, features: Tensor) -> Quantized:
        return self.quantize(self.conv_in(features))


class Upscaler(nn.Module):
    """Brings a level's latent to the resolution of the next finer one, of the one after that, ..."""

    def __init__(self, channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(layer for _ in range(int(log2(rate))) for layer in double(channels, channels))
            )
            for rate in rates
        )

    def forward(self, latent: Tensor, stages: int) -> Tensor:
        """Through the first `stages`. Going through all is decoding, which moves the running statistics of
        batch normalization; going through some conditions a codebook, and must not move them again."""
        decodes = stages == len(self.stages)
        for stage in self.stages[:stages]:
            latent = stage(latent) if decodes else untracked(stage, latent)
        return latent


class Hierarchical(Tokenizer):
    def __init__(self, config: HierarchicalConfig) -> None:
        super().__init__()
        rates, hidden, dim = config.scaling_rates, config.hidden, config.quantizer.embedding_dim
        top = len(rates) - 1
        self.encoders = nn.ModuleList(
            Encoder(config, hidden if level else 3, rate) for level, rate in enumerate(rates)
        )
        codebooks = [Codebook(config, hidden + dim) for _ in range(top)]
        codebooks.append(Codebook(config, hidden))
        self.codebooks = nn.ModuleList(codebooks)
        self.decoders = nn.ModuleList(
            Decoder(config, dim * (len(rates) - level), dim if level else 3, rate)
            for level, rate in enumerate(rates)
        )
        self.upscalers = nn.ModuleList(
            Upscaler(dim, rates[level:0:-1]) for level in range(top, 0, -1)
        )
        quantizers = [codebook.quantize for codebook in codebooks]
        factors = accumulate(rates, mul)
        self._levels = tuple(Level(*pair) for pair in zip(quantizers, factors, strict=True))
        self._last_convolution = f"decoders.0.layers.{2 + int(log2(rates[0]))}"

    def encode(self, frames_NCHW: Tensor) -> Encoded:
        features = [frames_NCHW]
        for encoder in self.encoders:
            features.append(encoder(features[-1]))
        quantized: list[Quantized] = []  # finest first
        for level in reversed(range(len(self.encoders))):
            known = features[level + 1]
            if quantized:
                latents = [coarser.latent_NDhw for coarser in quantized]
                known = torch.cat([known, self.decoders[level + 1](self._stacked(latents))], 1)
            quantized.insert(0, self.codebooks[level](known))
        return Encoded.of(*quantized)

    def decode(self, latent: tuple[Tensor, ...]) -> Tensor:
        return self.decoders[0](self._stacked(latent))

    def _stacked(self, latents: Sequence[Tensor]) -> Tensor:
        """Latents of one level and of all coarser ones, in this order -> what this level's decoder takes:
        its own, then the others from the coarsest on, all at its resolution."""
        own, *coarser = latents
        stacked = [own]
        for i, (upscaler, latent) in enumerate(
            zip(self.upscalers, reversed(coarser), strict=False)
        ):
            stacked.append(upscaler(latent, len(coarser) - i))
        return torch.cat(stacked, 1)

    @property
    def levels(self) -> tuple[Level, ...]:
        return self._levels

    @property
    def last_layer(self) -> Tensor:
        return self.get_parameter(f"{self._last_convolution}.weight")
