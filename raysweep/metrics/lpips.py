"""LPIPS as a metric (Zhang et al. 2018); the network is `features.lpips`."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from raysweep.features.lpips import lpips
from raysweep.metrics.base import Better, PerFrame, Scored


class LPIPS(PerFrame):
    """Mean perceptual distance; `lpips_random` where the network is untrained, so nobody compares the two."""

    better: ClassVar[Mapping[str, Better]] = {"lpips": "lower", "lpips_random": "lower"}

    def __init__(self, net: str, init: str, device: torch.device | str) -> None:
        super().__init__("lpips_random" if init == "random" else "lpips")
        self._lpips = lpips(net, init, device)

    def scores(self, batch: Scored) -> Tensor:
        seen = self._lpips.features(batch.reconstruction_NCHW.clamp(-1, 1))
        return self._lpips.distance(seen, self._lpips.features(batch.frames_NCHW))
