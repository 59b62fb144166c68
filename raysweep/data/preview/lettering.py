"""Words on a picture, in the font that OpenCV carries: Latin, Cyrillic, Greek and East Asian letters."""

import cv2

from raysweep.data.decoding.decode import Frames

Ink = tuple[int, int, int]
"""RGB."""

_PLAIN, _BOLD = 400, 600
"""Weights of the variable font, as in CSS."""


def write(
    picture_HWC: Frames,
    text: str,
    place: tuple[int, int],
    pixels: int,
    ink: Ink,
    *,
    room: int,
    bold: bool = False,
) -> None:
    """One line of letters `pixels` high from `place` (left, baseline), shortened to `room` pixels."""
    line = shortened(text, pixels, room, bold)
    font = cv2.FontFace("sans")
    cv2.putText(picture_HWC, line, place, ink, font, pixels, _BOLD if bold else _PLAIN)


def shortened(text: str, pixels: int, room: int, bold: bool = False) -> str:
    """As one line; where that is wider than `room`, without its middle."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    short, kept = line, len(line)
    while kept and width(short, pixels, bold) > room:
        kept -= 1
        start, end = line[: (kept + 1) // 2], line[len(line) - kept // 2 :]
        short = f"{start}…{end}"
    return short


def width(line: str, pixels: int, bold: bool = False) -> int:
    """Pixels from left to right."""
    weight, unbounded = _BOLD if bold else _PLAIN, (1 << 20, 1 << 20)
    left, _, across, _ = cv2.getTextSize(
        unbounded, line, (0, 0), cv2.FontFace("sans"), pixels, weight
    )
    return int(left + across)
