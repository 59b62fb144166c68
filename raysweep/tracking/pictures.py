"""Originals above, reconstructions below: the picture to look at, and a folder of them.

Shapes: N frames, C channels, H height, W width.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from raysweep.tracking.base import Picture, Tracker

_GAP_PIXELS = 2
_GAP_VALUE = 1.0
"""White, in frames' own range."""


class PictureFolder(Tracker):
    """Writes each picture as `<folder>/<name>-<step>.png`; a slash in the name becomes a dash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Holds no figures."""

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        save_png(picture_HWC, self._folder / f"{name.replace('/', '-')}-{step:08d}.png")

    def note(self, step: int, text: str) -> None:
        """Holds no text."""

    def close(self) -> None:
        """Every picture is written at once."""


def side_by_side(frames_NCHW: Tensor, reconstruction_NCHW: Tensor, limit: int = 8) -> Picture:
    """RGB float in [-1, 1], the first `limit` frames -> HWC uint8: originals, and below them what they became."""
    originals, seen = [_row(frames[:limit]) for frames in (frames_NCHW, reconstruction_NCHW)]
    gap = np.full((_GAP_PIXELS, originals.shape[1], 3), 255, dtype=np.uint8)
    return np.concatenate([originals, gap, seen])


def _row(frames_NCHW: Tensor) -> Picture:
    spaced = F.pad(frames_NCHW.detach().float().clamp(-1, 1), (0, _GAP_PIXELS), value=_GAP_VALUE)
    row_HWC = rearrange(spaced, "N C H W -> H (N W) C")[:, :-_GAP_PIXELS]
    picture: Picture = ((row_HWC + 1) * 127.5).round().byte().cpu().numpy()
    return picture


def save_png(picture_HWC: Picture, path: Path) -> None:
    """HWC uint8 RGB -> a PNG file; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done, png = cv2.imencode(".png", cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2BGR))
    assert done
    path.write_bytes(png.tobytes())
