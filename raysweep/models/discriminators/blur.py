"""The discriminator of VQGAN+ (Weber et al. 2024, "MaskBit", section 3): no batch statistics, no aliasing.

Convolutions keep the size, a fixed low-pass filter halves it (Zhang 2019, "Making Convolutional Networks
Shift-Invariant Again"), and group normalization sees one frame alone. The original pools what remains to
16 x 16, which at its 256 px and four layers changes nothing and is left out.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from raysweep.models.blocks import groups_for
from raysweep.models.discriminators.base import check_frame_size
from raysweep.schema import Config


class BlurConfig(Config):
    """Defaults: as published."""

    kind: Literal["blur"] = "blur"
    ch: int = Field(default=128, ge=4, multiple_of=4)
    """Channels of the first layer; each later one but the second doubles them."""
    layers: int = Field(default=4, ge=1)
    """Times that the frame is halved."""

    def build(self) -> "BlurDiscriminator":
        return BlurDiscriminator(self)

    @property
    def smallest_frame(self) -> int:
        """Pixels; below it nothing would be left to judge."""
        return 2**self.layers

    def check_frame_size(self, resolution: int) -> None:
        """Raises ConfigError for frames that the discriminator cannot take."""
        check_frame_size(self.layers, self.smallest_frame, resolution)


class BlurDiscriminator(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> logits (N, 1, H/16, W/16) with four layers."""

    def __init__(self, config: BlurConfig) -> None:
        super().__init__()
        widths = [config.ch, *(config.ch * 2**i for i in range(config.layers))]
        self.block_in = nn.Sequential(nn.Conv2d(3, config.ch, 5, padding=2), nn.LeakyReLU(0.1))
        self.blocks = nn.Sequential(
            *(_block(widths[i], widths[i + 1]) for i in range(config.layers))
        )
        self.to_logits = nn.Sequential(
            nn.Conv2d(widths[-1], widths[-1], 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(widths[-1], 1, 5, padding=2),
        )

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        return self.to_logits(self.blocks(self.block_in(frames_NCHW)))


class BlurPool(nn.Module):
    """Halves height and width by the binomial filter (1, 3, 3, 1) on either axis."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        binomial = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", torch.outer(binomial, binomial), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.kernel.to(x.dtype).expand(x.shape[1], 1, 4, 4)
        return F.conv2d(x, weight, stride=2, padding=1, groups=x.shape[1])


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        BlurPool(),
        nn.GroupNorm(groups_for(out_channels), out_channels),
        nn.LeakyReLU(0.1),
    )
