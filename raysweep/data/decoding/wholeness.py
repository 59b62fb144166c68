"""Whether a video breaks off before its end: a download, a copy or a recording that was cut short.

What a container claims cannot judge alone. Measured with OpenCV 5, healthy files of 144 frames claim 288 where
the sound goes on for longer (mkv, ts, flv), and 144 where an edit list shows 88 of them (mp4, cut without
encoding again): the shortfall of half a file. So a video breaks off if it falls short of its claim in frames
and in seconds, and its bytes end before the container says, or in zeros. In doubt a file is whole.

| container                  | cut in the middle                         | told                          |
|----------------------------|-------------------------------------------|-------------------------------|
| mp4, mov, index in front   | 144 frames of 6 s claimed, 71 of 3 s come | yes: a box is not all there   |
| mp4, mov, index at the end | is not opened                             | yes: bad without this rule    |
| mkv, webm                  | 144 of 6 s claimed, 73 of 3 s come        | yes: the segment is not       |
| avi                        | 144 of 6 s claimed, 83 of 3.5 s come      | yes: the RIFF chunk is not    |
| these, filled with zeros   | 144 of 6 s claimed, 84 of 3.5 s come      | yes: the last bytes are zeros |
| ts, mpg, ogv, gif          | what is there is what is claimed          | no                            |
| flv, wmv                   | 146 claimed, 71 come; no claim at all     | no                            |
"""

from collections.abc import Iterator
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO, NamedTuple

TAIL_BYTES = 1024
"""Zeros at the end of a file by which a download shows whose room was taken beforehand."""
SLACK, SLACK_FRAMES = 0.01, 2
"""The share of a claim, and the frames at least, that whole files fall short of it (seen: 2 of 146)."""


class Extent(NamedTuple):
    """How much of a video there is."""

    frames: float
    seconds: float


def breaks_off(path: Path, claimed: Extent, decoded: Extent) -> bool:
    """By the rule above."""
    slack = max(SLACK, SLACK_FRAMES / claimed.frames) if claimed.frames > 0 else 1
    short = all(given < claim * (1 - slack) for given, claim in zip(decoded, claimed, strict=True))
    return short and _ends_early(path)


def _ends_early(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(-min(size, TAIL_BYTES), SEEK_END)
        if not any(file.read()):
            return True
        return any(end > size for end in _ends(file))


def _ends(file: BinaryIO) -> Iterator[int]:
    """Where the outermost parts of the file end, as far as it says."""
    file.seek(0)
    head = file.read(8)
    if head[:4] == b"RIFF":
        return _chunks(file)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _elements(file)
    return _boxes(file) if head[4:].isalnum() else iter(())


def _boxes(file: BinaryIO) -> Iterator[int]:
    """ISO/IEC 14496-12, 4.2: a size and a type; 1: the size follows the type; 0: to the end of the file."""
    at = 0
    while len(head := _at(file, at, 16)) >= 8 and head[4:8].isalnum():
        size = int.from_bytes(head[:4])
        size = int.from_bytes(head[8:]) if size == 1 else size
        if size < 8:
            return
        at += size
        yield at


def _chunks(file: BinaryIO) -> Iterator[int]:
    """RIFF, of which large AVI files have several: a type and a size; what follows is of an even length."""
    at = 0
    while len(head := _at(file, at, 8)) == 8 and head[:4] == b"RIFF":
        size = int.from_bytes(head[4:], "little")
        yield at + 8 + size
        at += 8 + size + size % 2


def _elements(file: BinaryIO) -> Iterator[int]:
    """RFC 8794, 4 to 6: a header, then a segment whose size is unknown where all its bits are set."""
    header = _sized(file, 4)
    segment = _sized(file, header.start + header.size + 4)
    if segment.size != 2 ** (7 * segment.digits) - 1:
        yield segment.start + segment.size


class _Sized(NamedTuple):
    start: int
    """Where the content begins."""
    size: int
    digits: int
    """Bytes that the size is written in."""


def _sized(file: BinaryIO, at: int) -> _Sized:
    """A number whose first set bit says how many bytes it has."""
    raw = _at(file, at, 8)
    digits = 9 - max(1, raw[0].bit_length()) if raw else 1
    size = int.from_bytes(raw[:digits]) & (2 ** (7 * digits) - 1)
    return _Sized(at + digits, size, digits)


def _at(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
