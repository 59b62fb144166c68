"""Flicker: change over time that the reconstruction adds or loses.

Shapes: B clips, T frames, N = B T, C channels, H height, W width.
"""

from collections.abc import Mapping
from typing import ClassVar

from einops import rearrange
from torch import Tensor

from raysweep.metrics.base import Better, PerFrame, Scored, as_pixels


class Flicker(PerFrame):
    """Mean absolute error of frame-to-frame differences within clips, on [0, 255]; absent for single frames.

    An error that stands still, however large, scores 0; a tokenizer that jitters scores high at any PSNR.
    """

    better: ClassVar[Mapping[str, Better]] = {"flicker": "lower"}

    def __init__(self) -> None:
        super().__init__("flicker")

    def scores(self, batch: Scored) -> Tensor:
        error_NCHW = as_pixels(batch.reconstruction_NCHW) - as_pixels(batch.frames_NCHW)
        error_BTCHW = rearrange(error_NCHW, "(B T) C H W -> B T C H W", T=batch.clip_length)
        return error_BTCHW.diff(dim=1).abs().mean(dim=(2, 3, 4)).flatten()
