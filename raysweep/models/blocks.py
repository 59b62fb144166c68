"""The building blocks of the VQGAN encoder and decoder (Esser et al. 2021, section 3 and appendix).

Attribute names are the published checkpoints' key names.
"""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


def normalize(channels: int) -> nn.GroupNorm:
    """GroupNorm as published, eps 1e-6."""
    return nn.GroupNorm(groups_for(channels), channels, eps=1e-6)


def groups_for(channels: int) -> int:
    """32 where it divides, as published; below that the most groups of 4 or more channels."""
    if channels % 32 == 0:
        return 32
    return next(groups for groups in range(max(1, channels // 4), 0, -1) if channels % groups == 0)


class ResnetBlock(nn.Module):
    """norm, swish, conv, norm, swish, dropout, conv; a 1x1 shortcut where the width changes."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = normalize(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = normalize(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if in_channels != out_channels:
            self.nin_shortcut: nn.Conv2d | None = nn.Conv2d(in_channels, out_channels, 1)
        else:
            self.nin_shortcut = None

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        return h + (x if self.nin_shortcut is None else self.nin_shortcut(x))


class AttnBlock(nn.Module):
    """Single-head self-attention over the positions of one frame, residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = normalize(channels)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        q, k, v = (
            rearrange(part(normed), "n c h w -> n 1 (h w) c").contiguous()
            for part in (self.q, self.k, self.v)
        )  # with a head and contiguous: only then torch never builds the (h w) x (h w) weights
        mixed = F.scaled_dot_product_attention(q, k, v)  # scale c^-0.5
        return x + self.proj_out(rearrange(mixed, "n 1 (h w) c -> n c h w", h=x.shape[2]))


class Downsample(nn.Module):
    """Halves height and width; pads right and bottom only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Doubles height and width by nearest neighbour, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
