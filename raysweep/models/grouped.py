"""Groups of residual blocks, as in Ramesh et al. 2021, "Zero-Shot Text-to-Image Generation", appendix A.

The encoder and decoder of OpenAI's discrete VAE, with a vector quantizer in place of its relaxed categorical
one, group g of G at g times the width (where the paper's doubles), and three output channels (where the
paper's are the means and scales of a distribution). The codebook's vectors enter the decoder as they are.
"""

from itertools import pairwise
from math import sqrt
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from raysweep.models.quantizers import EMAConfig, QuantizerConfig
from raysweep.models.tokenizer import OneLevelTokenizer, TokenizerConfig

ENCODER_KERNELS = (3, 3, 3, 1)
DECODER_KERNELS = (1, 3, 3, 3)


class GroupedConfig(TokenizerConfig):
    """Defaults: the sizes of the published encoder and decoder."""

    kind: Literal["grouped"] = "grouped"
    group_count: int = Field(default=4, ge=1)
    """Groups of blocks; between two of them height and width halve."""
    hidden: int = Field(default=256, ge=4, multiple_of=4)
    """Channels of the first group; group g has g times as many."""
    blocks_per_group: int = Field(default=2, ge=1)
    """Residual blocks, of four convolutions each."""
    quantizer: QuantizerConfig = EMAConfig(codebook_size=8192, embedding_dim=128)

    def build(self) -> "Grouped":
        return Grouped(self)

    @property
    def widths(self) -> list[int]:
        """Channels of each group, finest first."""
        return [self.hidden * group for group in range(1, self.group_count + 1)]

    @property
    def gain(self) -> float:
        """Scale of what a block adds."""
        return 1 / (self.group_count * self.blocks_per_group) ** 2


class Block(nn.Module):
    """x + gain F(x): four times ReLU and convolution, a quarter as wide inside."""

    def __init__(
        self, in_channels: int, out_channels: int, kernels: tuple[int, ...], gain: float
    ) -> None:
        super().__init__()
        inner = out_channels // 4
        widths = [in_channels, inner, inner, inner, out_channels]
        layers: list[nn.Module] = []
        for (width, next_width), kernel in zip(pairwise(widths), kernels, strict=True):
            layers += [nn.ReLU(), convolution(width, next_width, kernel)]
        self.residual = nn.Sequential(*layers)
        self.shortcut = (
            nn.Identity()
            if in_channels == out_channels
            else convolution(in_channels, out_channels, 1)
        )
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.gain * self.residual(x)


def convolution(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """As published: weights normal with variance 1 / fan-in, biases zero."""
    layer = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    nn.init.normal_(layer.weight, std=1 / sqrt(in_channels * kernel**2))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def group(
    config: GroupedConfig, in_channels: int, out_channels: int, kernels: tuple[int, ...]
) -> nn.Sequential:
    widths = [in_channels, *[out_channels] * config.blocks_per_group]
    return nn.Sequential(*(Block(*pair, kernels, config.gain) for pair in pairwise(widths)))


class Encoder(nn.Module):
    """(N, 3, H, W) -> (N, D, h, w)."""

    def __init__(self, config: GroupedConfig) -> None:
        super().__init__()
        widths = [config.hidden, *config.widths]
        self.input = convolution(3, config.hidden, 7)
        self.groups = nn.ModuleList(
            group(config, *pair, ENCODER_KERNELS) for pair in pairwise(widths)
        )
        self.shrink = nn.MaxPool2d(2)
        self.output = nn.Sequential(
            nn.ReLU(), convolution(widths[-1], config.quantizer.embedding_dim, 1)
        )

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        first, *others = self.groups
        h = first(self.input(frames_NCHW))
        for blocks in others:
            h = blocks(self.shrink(h))
        return self.output(h)


class Decoder(nn.Module):
    """(N, D, h, w) -> (N, 3, H, W). `groups.0` is the coarsest and runs first."""

    def __init__(self, config: GroupedConfig) -> None:
        super().__init__()
        widths = [config.quantizer.embedding_dim, *reversed(config.widths)]
        self.groups = nn.ModuleList(
            group(config, *pair, DECODER_KERNELS) for pair in pairwise(widths)
        )
        self.enlarge = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.relu = nn.ReLU()
        self.output = convolution(widths[-1], 3, 1)

    def forward(self, latent_NDhw: Tensor) -> Tensor:
        first, *others = self.groups
        h = first(latent_NDhw)
        for blocks in others:
            h = blocks(self.enlarge(h))
        return self.output(self.relu(h))


class Grouped(OneLevelTokenizer):
    def __init__(self, config: GroupedConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.quantize = config.quantizer.build()
        self.decoder = Decoder(config)
        self.factor = 2 ** (config.group_count - 1)

    def to_latent(self, frames_NCHW: Tensor) -> Tensor:
        return self.encoder(frames_NCHW)

    def from_latent(self, latent_NDhw: Tensor) -> Tensor:
        return self.decoder(latent_NDhw)

    @property
    def last_layer(self) -> Tensor:
        return self.decoder.output.weight
