"""PatchGAN: one logit per overlapping patch (Isola et al. 2017, section 3.2.2).

With batch or activation normalization its keys and start are those of published VQGAN checkpoints
(`loss.discriminator.main.*`).
"""

from collections.abc import Callable
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from raysweep.models.blocks import groups_for
from raysweep.models.discriminators.base import check_frame_size
from raysweep.models.norm import ActNorm, GlobalBatchNorm2d
from raysweep.schema import Config


class PatchConfig(Config):
    """Defaults: as published."""

    kind: Literal["patch"] = "patch"
    ch: int = Field(default=64, ge=4, multiple_of=4)
    """Channels after the first convolution; doubled up to 8 times that."""
    layers: int = Field(default=3, ge=1)
    """Convolutions that halve the frame."""
    norm: Literal["batch", "group", "actnorm"] = "batch"
    """`batch`: statistics of the global batch, over all workers; `group`: of each frame alone; `actnorm`:
    of the first batch, and learned from then on."""

    def build(self) -> "PatchGAN":
        return PatchGAN(self)

    @property
    def smallest_frame(self) -> int:
        """Pixels; 32 with three layers. Below it the last two kernels, 4 wide, have nothing to stand on."""
        return 4 * 2**self.layers

    def check_frame_size(self, resolution: int) -> None:
        """Raises ConfigError for frames that the discriminator cannot take."""
        check_frame_size(self.layers, self.smallest_frame, resolution)


class PatchGAN(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> logits (N, 1, about H/8, W/8) with three layers."""

    def __init__(self, config: PatchConfig) -> None:
        super().__init__()
        norms: dict[str, Callable[[int], nn.Module]] = {
            "batch": GlobalBatchNorm2d,
            "group": lambda channels: nn.GroupNorm(groups_for(channels), channels),
            "actnorm": ActNorm,
        }
        norm, biased = norms[config.norm], config.norm == "actnorm"
        widths = [config.ch * min(2**i, 8) for i in range(config.layers + 1)]
        stages: list[nn.Module] = [
            nn.Conv2d(3, config.ch, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for i in range(1, len(widths)):
            stride = 2 if i < config.layers else 1
            stages += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride=stride, padding=1, bias=biased),
                norm(widths[i]),
                nn.LeakyReLU(0.2),
            ]
        self.main = nn.Sequential(*stages, nn.Conv2d(widths[-1], 1, 4, stride=1, padding=1))
        self.apply(_start)

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        return self.main(frames_NCHW)


def _start(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)
