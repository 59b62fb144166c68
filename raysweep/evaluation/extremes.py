"""The frames that a model does best and worst on.

Shapes: N frames, H height, W width, C = 3 (RGB uint8 in [0, 255]).
"""

from collections.abc import Sequence
from heapq import nlargest
from typing import NamedTuple

from einops import rearrange
from torch import Tensor

from raysweep.data.decoding.decode import Frames
from raysweep.metrics import Scored
from raysweep.metrics.base import as_pixels
from raysweep.metrics.psnr import PSNR


class Shown(NamedTuple):
    """A frame and what became of it."""

    score: float
    """dB of PSNR; of two models, by how much the first's is higher."""
    label: str
    pictures_HWC: tuple[Frames, ...]
    """The frame, and each model's reconstruction."""


class Extremes:
    """Of each pass the highest and the lowest score count: the frames beside one look alike."""

    def __init__(self, count: int) -> None:
        """`count`: frames to keep at each end."""
        self._count = count
        self.best: list[Shown] = []
        self.worst: list[Shown] = []

    def add(self, labels: Sequence[str], batches: Sequence[Scored]) -> None:
        """`batches`: of one or two models, on the same frames."""
        dB_N, *others_N = [PSNR().scores(batch) for batch in batches]
        scores_N = dB_N - others_N[0] if others_N else dB_N
        high, low = int(scores_N.argmax()), int(scores_N.argmin())
        self.best = self._kept([*self.best, _shown(high, scores_N, labels, batches)], 1)
        self.worst = self._kept([*self.worst, _shown(low, scores_N, labels, batches)], -1)

    def _kept(self, found: list[Shown], way: int) -> list[Shown]:
        return nlargest(self._count, found, key=lambda shown: way * shown.score)


def _shown(at: int, scores_N: Tensor, labels: Sequence[str], batches: Sequence[Scored]) -> Shown:
    pictures = [batches[0].frames_NCHW[at], *(batch.reconstruction_NCHW[at] for batch in batches)]
    return Shown(float(scores_N[at]), labels[at], tuple(map(_picture, pictures)))


def _picture(frame_CHW: Tensor) -> Frames:
    pixels_CHW = as_pixels(frame_CHW).round().byte()
    picture_HWC: Frames = rearrange(pixels_CHW, "c h w -> h w c").cpu().numpy()
    return picture_HWC
