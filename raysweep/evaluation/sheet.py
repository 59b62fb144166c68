"""The best and the worst frames as one picture: each above what became of it, and above the difference.

Shapes: H height, W width, C = 3 (RGB uint8 in [0, 255]).
"""

from collections.abc import Sequence

import cv2
import numpy as np

from raysweep.data.decoding.decode import Frames
from raysweep.data.preview.lettering import Ink, write
from raysweep.evaluation.extremes import Extremes, Shown

TILE = 224
"""Pixels of a shown frame's longer side: larger ones are shrunk, small ones shown in whole multiples."""
NARROWEST = 860
"""Pixels that the words need."""
AMPLIFIED = 4
"""How much brighter than it is a difference is shown."""

_MARGIN, _GAP, _HEADING, _CAPTION, _LABEL = 20, 6, 36, 36, 120
_PAPER, _BLACK, _GREY = 250, (30, 30, 30), (110, 110, 110)
_WORST: Ink = (175, 55, 35)
_BEST: Ink = (40, 125, 70)


def sheet(title: str, names: Sequence[str], found: Extremes) -> Frames:
    """HWC. `names`: of one or two models."""
    found_ends = zip(_ends(names), (_WORST, _BEST), _shown(names, found), strict=True)
    ends = [end for end in found_ends if end[2]]
    pictures = [picture for _, _, shown in ends for one in shown for picture in one.pictures_HWC]
    height = max(_tile(picture_HWC).shape[0] for picture_HWC in pictures)
    width = max(NARROWEST, _LABEL + max(len(shown) for _, _, shown in ends) * (TILE + _GAP))
    strips_HWC = [_line(title, width, 17, _BLACK)]
    for heading, ink, shown in ends:
        strips_HWC += [_line(heading, width, 15, ink), _section(shown, names, height, width)]
    edges = ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0))
    return np.pad(np.vstack(strips_HWC), edges, constant_values=_PAPER)


def _shown(names: Sequence[str], found: Extremes) -> tuple[list[Shown], list[Shown]]:
    """The lowest scores, and the highest: no frame twice, and of two models those that each leads on."""
    if len(names) == 2:
        low = [one for one in found.worst if one.score < 0]
        return low, [one for one in found.best if one.score >= 0]
    low = found.worst
    taken = {one.label for one in low}
    return low, [one for one in found.best if one.label not in taken]


def _ends(names: Sequence[str]) -> tuple[str, str]:
    """What the lowest scores mean, and the highest."""
    if len(names) == 1:
        return "the worst frames, by PSNR", "the best frames, by PSNR"
    return f"where {names[1]} leads most, in PSNR", f"where {names[0]} leads most, in PSNR"


def _line(text: str, width: int, pixels: int, ink: Ink) -> Frames:
    strip_HWC = _blank(_HEADING, width)
    write(strip_HWC, text, (0, 24), pixels, ink, room=width, bold=True)
    return strip_HWC


def _section(shown: Sequence[Shown], names: Sequence[str], height: int, width: int) -> Frames:
    labels = ["original", *(row for name in names for row in (name, f"difference x{AMPLIFIED}"))]
    strip_HWC = _blank(len(labels) * (height + _GAP) + _CAPTION, width)
    for row, label in enumerate(labels):
        place = (0, row * (height + _GAP) + 14)
        write(strip_HWC, label, place, 12, _GREY, room=_LABEL - _GAP)
    for column, one in enumerate(shown):
        _draw(strip_HWC[:, _LABEL + column * (TILE + _GAP) :], one, height)
    return strip_HWC


def _draw(strip_HWC: Frames, one: Shown, height: int) -> None:
    """In the strip's left upper corner."""
    original, *made = one.pictures_HWC
    rows = [
        original,
        *(picture for each in made for picture in (each, _difference(original, each))),
    ]
    for row, picture_HWC in enumerate(rows):
        tile_HWC, top = _tile(picture_HWC), row * (height + _GAP)
        strip_HWC[top : top + tile_HWC.shape[0], : tile_HWC.shape[1]] = tile_HWC
    score = f"{one.score:.2f} dB" if len(made) == 1 else f"{abs(one.score):.2f} dB"
    below = len(rows) * (height + _GAP)
    write(strip_HWC, score, (0, below + 10), 12, _BLACK, room=TILE, bold=True)
    write(strip_HWC, one.label, (0, below + 26), 11, _GREY, room=TILE)


def _difference(one_HWC: Frames, other_HWC: Frames) -> Frames:
    """Amplified, from black where there is none."""
    difference_HWC: Frames = cv2.convertScaleAbs(cv2.absdiff(one_HWC, other_HWC), alpha=AMPLIFIED)
    return difference_HWC


def _tile(picture_HWC: Frames) -> Frames:
    rows, columns = picture_HWC.shape[:2]
    scale = TILE / max(rows, columns)
    scale = int(scale) if scale >= 1 else scale
    by = cv2.INTER_NEAREST if scale >= 1 else cv2.INTER_AREA
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    tile_HWC: Frames = cv2.resize(picture_HWC, size, interpolation=by)
    return tile_HWC


def _blank(height: int, width: int) -> Frames:
    return np.full((height, width, 3), _PAPER, np.uint8)
