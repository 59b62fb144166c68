"""VQGAN: Esser et al. 2021, "Taming Transformers for High-Resolution Image Synthesis".

With the `gradient` quantizer it is the public VQModel, with `ema` its EMAVQ; the attribute names are
the public checkpoints' key names. Fully convolutional: `resolution` only places the attention.
"""

from typing import Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from raysweep.models.blocks import AttnBlock, Downsample, ResnetBlock, Upsample, normalize
from raysweep.models.quantizers import GradientConfig, QuantizerConfig
from raysweep.models.tokenizer import OneLevelTokenizer, TokenizerConfig


class TamingConfig(TokenizerConfig):
    """Defaults: the published f16 model."""

    kind: Literal["taming_vqgan"] = "taming_vqgan"
    in_channels: Literal[3] = 3
    """Of the frames: RGB."""
    out_ch: Literal[3] = 3
    """Of the reconstructions: RGB."""
    ch: int = Field(default=128, ge=4, multiple_of=4)
    """Channels at full resolution; level l has ch * ch_mult[l]."""
    ch_mult: tuple[int, ...] = Field(default=(1, 1, 2, 2, 4), min_length=1)
    """One entry per resolution; each but the last halves height and width."""
    num_res_blocks: int = Field(default=2, ge=1)
    """Residual blocks per resolution; the decoder has one more."""
    attn_resolutions: tuple[int, ...] = (16,)
    """Resolutions with attention, counted down from `resolution`."""
    resolution: int = 256
    """Frame height the attention levels are counted from; inputs may have any size."""
    z_channels: int = 256
    """Channels between the encoder and the quantizer's 1x1 convolution."""
    double_z: bool = False
    """Twice the encoder's output channels, as a Gaussian latent would need."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of a residual block's features that a training step leaves out."""
    quantizer: QuantizerConfig = GradientConfig()

    def build(self) -> "TamingVQGAN":
        return TamingVQGAN(self)

    def has_attention(self, level: int) -> bool:
        return self.resolution // 2**level in self.attn_resolutions


class Resolution(nn.Module):
    """One resolution: residual blocks, each followed by attention where there is any."""

    def __init__(self, config: TamingConfig, level: int, blocks: int, in_channels: int) -> None:
        super().__init__()
        channels = config.ch * config.ch_mult[level]
        widths = [in_channels, *[channels] * (blocks - 1)]
        self.block = nn.ModuleList(ResnetBlock(w, channels, config.dropout) for w in widths)
        attentions = blocks if config.has_attention(level) else 0
        self.attn = nn.ModuleList(AttnBlock(channels) for _ in range(attentions))
        self.downsample: Downsample | None = None
        self.upsample: Upsample | None = None

    def forward(self, h: Tensor) -> Tensor:
        for i, block in enumerate(self.block):
            h = block(h)
            if len(self.attn):
                h = self.attn[i](h)
        for resample in (self.downsample, self.upsample):
            h = h if resample is None else resample(h)
        return h


class Middle(nn.Module):
    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.block_1 = ResnetBlock(channels, channels, dropout)
        self.attn_1 = AttnBlock(channels)
        self.block_2 = ResnetBlock(channels, channels, dropout)

    def forward(self, h: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(h)))


class Encoder(nn.Module):
    def __init__(self, config: TamingConfig) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(config.in_channels, config.ch, 3, padding=1)
        self.down = nn.ModuleList()
        width = config.ch
        for level, multiplier in enumerate(config.ch_mult):
            stage = Resolution(config, level, config.num_res_blocks, width)
            width = config.ch * multiplier
            if level < len(config.ch_mult) - 1:
                stage.downsample = Downsample(width)
            self.down.append(stage)
        self.mid = Middle(width, config.dropout)
        self.norm_out = normalize(width)
        z_channels = config.z_channels * (2 if config.double_z else 1)
        self.conv_out = nn.Conv2d(width, z_channels, 3, padding=1)

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        h = self.conv_in(frames_NCHW)
        for stage in self.down:
            h = stage(h)
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    """`up.0` is the highest resolution and runs last."""

    def __init__(self, config: TamingConfig) -> None:
        super().__init__()
        width = config.ch * config.ch_mult[-1]
        self.conv_in = nn.Conv2d(config.z_channels, width, 3, padding=1)
        self.mid = Middle(width, config.dropout)
        stages = []
        for level in reversed(range(len(config.ch_mult))):
            stage = Resolution(config, level, config.num_res_blocks + 1, width)
            width = config.ch * config.ch_mult[level]
            if level > 0:
                stage.upsample = Upsample(width)
            stages.append(stage)
        self.up = nn.ModuleList(reversed(stages))
        self.norm_out = normalize(width)
        self.conv_out = nn.Conv2d(width, config.out_ch, 3, padding=1)

    def forward(self, latent_NDhw: Tensor) -> Tensor:
        h = self.mid(self.conv_in(latent_NDhw))
        for stage in reversed(self.up):
            h = stage(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class TamingVQGAN(OneLevelTokenizer):
    def __init__(self, config: TamingConfig) -> None:
        super().__init__()
        embedding_dim = config.quantizer.embedding_dim
        encoded = config.z_channels * (2 if config.double_z else 1)
        self.encoder = Encoder(config)
        self.quant_conv = nn.Conv2d(encoded, embedding_dim, 1)
        self.quantize = config.quantizer.build()
        self.post_quant_conv = nn.Conv2d(embedding_dim, config.z_channels, 1)
        self.decoder = Decoder(config)
        self.factor = 2 ** (len(config.ch_mult) - 1)

    def to_latent(self, frames_NCHW: Tensor) -> Tensor:
        return self.quant_conv(self.encoder(frames_NCHW))

    def from_latent(self, latent_NDhw: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(latent_NDhw))

    @property
    def last_layer(self) -> Tensor:
        return self.decoder.conv_out.weight
