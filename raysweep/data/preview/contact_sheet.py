"""A preview as one picture: a row a clip, its frames from left to right.

Shapes: T frames side by side, H height, W width, C = 3 (RGB uint8 in [0, 255]).
"""

import cv2
import numpy as np

from raysweep.data.decoding.decode import Frames
from raysweep.data.preview.lettering import Ink, write
from raysweep.data.preview.preview import Preview, Row, Section
from raysweep.data.sources.labels import Split

WIDTH, HEIGHT = 1400, 1080
"""Pixels that a sheet takes at most, so that a screen shows it whole."""
NARROWEST = 860
"""Pixels that its words need."""
LARGEST = 192
"""Pixels of a shown frame's side, at most."""

_MARGIN, _GAP = 20, 6
_HEADER, _HEADING, _CAPTION, _LABEL = 56, 40, 22, 232
_LINE = 17
_PAPER, _BLACK, _GREY, _WHITE = 250, (30, 30, 30), (110, 110, 110), (255, 255, 255)
_COLOURS: dict[Split, Ink] = {
    "train": (37, 99, 170),
    "valid": (190, 95, 10),
    "test": (40, 125, 70),
}


def contact_sheet(shown: Preview) -> Frames:
    """HWC. Frames that there is no room for are shrunk, small ones shown in whole multiples."""
    side, columns = frame_side(shown), _columns(shown)
    width = max(NARROWEST, _LABEL + columns * (side + _GAP) - _GAP)
    strips_HWC = [_header(shown, width)]
    for section in shown.sections:
        strips_HWC.append(_heading(section, width))
        strips_HWC += [_row(row, side, width, _COLOURS[section.split]) for row in section.rows]
    edges = ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0))
    return np.pad(np.vstack(strips_HWC), edges, constant_values=_PAPER)


def frame_side(shown: Preview) -> int:
    """Pixels of a frame on the sheet."""
    rows = sum(len(section.rows) for section in shown.sections)
    words = _HEADER + _HEADING * len(shown.sections)
    across = (WIDTH - 2 * _MARGIN - _LABEL) // _columns(shown) - _GAP
    down = (HEIGHT - 2 * _MARGIN - words) // rows - _CAPTION
    room = min(across, down, LARGEST)
    resolution = shown.sections[0].rows[0].frames_THWC.shape[1]
    return room // resolution * resolution or room


def _columns(shown: Preview) -> int:
    return max(len(row.frames_THWC) for section in shown.sections for row in section.rows)


def _header(shown: Preview, width: int) -> Frames:
    strip_HWC = _blank(_HEADER, width)
    write(strip_HWC, shown.title, (0, 20), 20, _BLACK, room=width, bold=True)
    write(strip_HWC, shown.facts, (0, 44), 13, _GREY, room=width)
    return strip_HWC


def _heading(section: Section, width: int) -> Frames:
    strip_HWC = _blank(_HEADING, width)
    strip_HWC[8:32] = _COLOURS[section.split]
    write(strip_HWC, section.title, (10, 25), 14, _WHITE, room=width - 20, bold=True)
    return strip_HWC


def _row(row: Row, side: int, width: int, ink: Ink) -> Frames:
    strip_HWC = _blank(side + _CAPTION, width)
    strip_HWC[:side, :4] = ink
    for number, line in enumerate(row.label[: len(strip_HWC) // _LINE]):
        inked = _BLACK if number == 0 else _GREY
        place = (12, 14 + number * _LINE)
        write(strip_HWC, line, place, 13, inked, room=_LABEL - 24, bold=number == 0)
    for at, (frame_HWC, caption) in enumerate(zip(row.frames_THWC, row.captions, strict=True)):
        left = _LABEL + at * (side + _GAP)
        strip_HWC[:side, left : left + side] = _sized(frame_HWC, side)
        write(strip_HWC, caption, (left, side + 13), 11, _GREY, room=side)
    return strip_HWC


def _sized(frame_HWC: Frames, side: int) -> Frames:
    by = cv2.INTER_AREA if side < len(frame_HWC) else cv2.INTER_NEAREST
    return cv2.resize(frame_HWC, (side, side), interpolation=by)


def _blank(height: int, width: int) -> Frames:
    return np.full((height, width, 3), _PAPER, np.uint8)
