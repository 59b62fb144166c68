"""The perceptual terms of a reconstruction loss: LPIPS (Zhang et al. 2018, eq. 1), and a classifier's logits.

Shapes: N frames, C channels, H height, W width.
"""

import torch
from torch import Tensor

from raysweep.features.lpips import lpips
from raysweep.features.resnet import resnet


class PerceptualLoss:
    """LPIPS between reconstructions and their originals, differentiable in the reconstructions.

    A plain class around a frozen network: a module that holds it has none of it among its parameters or in
    its state dict, `.train()` and `.to()` pass it by, and `device` says where it lives.
    """

    def __init__(self, net: str, init: str, device: torch.device | str) -> None:
        self._lpips = lpips(net, init, device)

    def __call__(self, frames_NCHW: Tensor, target_NCHW: Tensor) -> Tensor:
        """RGB in [-1, 1], any float type -> distance per frame, (N,) float32; no gradient to the target."""
        with torch.no_grad():
            wanted = self._lpips.features(target_NCHW)
        return self._lpips.distance(self._lpips.features(frames_NCHW), wanted)


class LogitLoss:
    """Mean squared difference of ResNet50's logits (Weber et al. 2024, section 3); else as `PerceptualLoss`."""

    def __init__(self, init: str, device: torch.device | str) -> None:
        self._resnet = resnet(init, device)

    def __call__(self, frames_NCHW: Tensor, target_NCHW: Tensor) -> Tensor:
        """RGB in [-1, 1], any float type -> distance per frame, (N,) float32; no gradient to the target."""
        with torch.no_grad():
            wanted_NK = self._resnet.logits(target_NCHW)
        return (self._resnet.logits(frames_NCHW) - wanted_NK).square().mean(1)
