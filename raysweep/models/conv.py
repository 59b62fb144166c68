"""A plain convolutional VQ-VAE (van den Oord et al. 2017, section 4.1), deepened by residual blocks.

Four stages by default: 256 px become 16 x 16 codes. The residual blocks are VQGAN's, whose group
normalization keeps a frame's codes independent of its batch. A Tanh bounds the frames to [-1, 1].
"""

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor, nn

from raysweep.models.blocks import ResnetBlock
from raysweep.models.quantizers import EMAConfig, QuantizerConfig
from raysweep.models.tokenizer import OneLevelTokenizer, TokenizerConfig


class ConvConfig(TokenizerConfig):
    kind: Literal["conv"] = "conv"
    latent_channels: int = Field(default=256, ge=1)
    """Channels that the encoder gives and the decoder takes. Where the quantizer's `embedding_dim`
    differs, 1x1 convolutions lie between, so that the codebook's dimension can be chosen by itself."""
    encoder_channels: tuple[int, ...] = Field(default=(128, 256, 256, 256), min_length=1)
    """One entry per stage, finest first; each stage halves height and width."""
    decoder_channels: tuple[int, ...] = Field(default=(256, 256, 256, 128), min_length=1)
    """One entry per stage, coarsest first: channels after it has doubled height and width."""
    num_res_blocks: int = Field(default=2, ge=1)
    """Residual blocks per stage."""
    quantizer: QuantizerConfig = EMAConfig(codebook_size=1024, embedding_dim=256)

    @model_validator(mode="after")
    def _as_many_up_as_down(self) -> Self:
        down, up = len(self.encoder_channels), len(self.decoder_channels)
        if down != up:
            raise ValueError(
                f"needs as many decoder_channels as encoder_channels, one per stage, got {up} and {down}. "
                "Give both as many"
            )
        return self

    def build(self) -> "Conv":
        return Conv(self)


def blocks(config: ConvConfig, channels: int) -> list[nn.Module]:
    return [ResnetBlock(channels, channels, dropout=0.0) for _ in range(config.num_res_blocks)]


class Encoder(nn.Sequential):
    """(N, 3, H, W) -> (N, latent_channels, h, w)."""

    def __init__(self, config: ConvConfig) -> None:
        widths = [config.encoder_channels[0], *config.encoder_channels]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, padding=1)]
        for width, next_width in pairwise(widths):
            layers.append(nn.Conv2d(width, next_width, 4, stride=2, padding=1))
            layers += blocks(config, next_width)
        super().__init__(*layers, nn.Conv2d(widths[-1], config.latent_channels, 3, padding=1))


class Decoder(nn.Module):
    """(N, latent_channels, h, w) -> (N, 3, H, W) in [-1, 1]."""

    def __init__(self, config: ConvConfig) -> None:
        super().__init__()
        widths = [config.decoder_channels[0], *config.decoder_channels]
        layers: list[nn.Module] = [nn.Conv2d(config.latent_channels, widths[0], 3, padding=1)]
        for width, next_width in pairwise(widths):
            layers += blocks(config, width)
            layers += [nn.Upsample(scale_factor=2.0), nn.Conv2d(width, next_width, 3, padding=1)]
        layers += [nn.Conv2d(widths[-1], 64, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.conv_out = nn.Conv2d(64, 3, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        return self.conv_out(self.layers(latent)).tanh()


class Conv(OneLevelTokenizer):
    def __init__(self, config: ConvConfig) -> None:
        super().__init__()
        channels, dim = config.latent_channels, config.quantizer.embedding_dim
        self.encoder = Encoder(config)
        self.quant_conv = nn.Identity() if channels == dim else nn.Conv2d(channels, dim, 1)
        self.quantize = config.quantizer.build()
        self.post_quant_conv = nn.Identity() if channels == dim else nn.Conv2d(dim, channels, 1)
        self.decoder = Decoder(config)
        self.factor = 2 ** len(config.encoder_channels)

    def to_latent(self, frames_NCHW: Tensor) -> Tensor:
        return self.quant_conv(self.encoder(frames_NCHW))

    def from_latent(self, latent_NDhw: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(latent_NDhw))

    @property
    def last_layer(self) -> Tensor:
        return self.decoder.conv_out.weight
