"""SSIM: Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity".

Shapes: N frames, C channels, H height, W width.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from raysweep.metrics.base import Better, PerFrame, Scored, as_pixels

WINDOW = 11
"""Pixels, the window's side; its standard deviation is 1.5 pixels (section III-C)."""
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
"""The constants under eq. 13, K1 = 0.01 and K2 = 0.03."""


class SSIM(PerFrame):
    """Mean structural similarity of each RGB frame, on [0, 255], over windows that lie inside it.

    Computed in float64: a window's variance is the small difference of two large numbers. Frames smaller
    than the window have no score.
    """

    better: ClassVar[Mapping[str, Better]] = {"ssim": "higher"}

    def __init__(self) -> None:
        super().__init__("ssim")

    def scores(self, batch: Scored) -> Tensor:
        if min(batch.frames_NCHW.shape[-2:]) < WINDOW:
            return torch.zeros(0)
        x, y = as_pixels(batch.frames_NCHW), as_pixels(batch.reconstruction_NCHW)
        return _similarity_map(x, y).mean(dim=(1, 2, 3))


def _similarity_map(x_NCHW: Tensor, y_NCHW: Tensor) -> Tensor:
    """Eq. 13, in the weighted statistics of eqs. 14 to 16."""
    mean_x, mean_y = _blur(x_NCHW), _blur(y_NCHW)
    variance_x = _blur(x_NCHW.square()) - mean_x.square()
    variance_y = _blur(y_NCHW.square()) - mean_y.square()
    covariance = _blur(x_NCHW * y_NCHW) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x.square() + mean_y.square() + _C1)
    structure = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    return luminance * structure


def _blur(images_NCHW: Tensor) -> Tensor:
    """Gaussian mean over each window, one axis after the other; loses the window's half at every border."""
    channels = images_NCHW.shape[1]
    kernel = _gaussian(images_NCHW.device).expand(channels, 1, 1, WINDOW)
    across = F.conv2d(images_NCHW, kernel, groups=channels)
    return F.conv2d(across, kernel.transpose(2, 3), groups=channels)


def _gaussian(device: torch.device) -> Tensor:
    offsets = torch.arange(WINDOW, dtype=torch.float64, device=device) - WINDOW // 2
    return torch.softmax(-offsets.square() / (2 * _SIGMA**2), dim=0)
