"""PSNR: the reconstruction error's size beside the largest possible pixel, in decibels.

Shapes: N frames, C channels, H height, W width.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from raysweep.metrics.base import Better, PerFrame, Scored, as_pixels

_CEILING_DB = 100.0
"""What a perfect frame scores; without it one black frame makes the mean infinite."""

_SMALLEST_MSE = 255.0**2 / 10 ** (_CEILING_DB / 10)


class PSNR(PerFrame):
    """10 log10(255^2 / MSE) of each RGB frame, then the mean over frames.

    The mean is of decibels, not of errors: pooling errors over a batch gives a number that depends on the
    batch and is several dB lower. Reconstructions are clamped to the visible range, not rounded to uint8.
    """

    better: ClassVar[Mapping[str, Better]] = {"psnr": "higher"}

    def __init__(self) -> None:
        super().__init__("psnr")

    def scores(self, batch: Scored) -> Tensor:
        error_NCHW = as_pixels(batch.frames_NCHW) - as_pixels(batch.reconstruction_NCHW)
        mse_N = error_NCHW.square().mean(dim=(1, 2, 3))
        return 10 * (255.0**2 / mse_N.clamp_min(_SMALLEST_MSE)).log10()
