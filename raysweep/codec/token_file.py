"""The bytes of a token file: a header, then a record a chunk of frames, then an end; `docs/codec.md` says which.

Each record has a CRC-32, which finds every damaged byte; the end tells the frames and the SHA-256 of all bytes
before it, which finds records that are missing, doubled or out of order.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple
from zlib import crc32

from raysweep.codec.layout import Layout
from raysweep.errors import DataError

MAGIC = b"\x89RSV\r\n\x1a\n"
"""As PNG's: a copy that takes it for text changes it."""
VERSION = 1
_VERSION, _HEAD, _CRC = Struct("<H"), Struct("<4sI"), Struct("<I")
HEADER, CHUNK, END = b"head", b"code", b"done"
_HEADER, _MAP, _CHUNK, _END = Struct("<6I32sI"), Struct("<2I"), Struct("<QI"), Struct("<Q32s")


class CodeMap(NamedTuple):
    """One of the maps that a tile's codes come in."""

    size: int
    """Ids that a position can take."""
    factor: int
    """Pixels per code position along one axis."""


class Header(NamedTuple):
    layout: Layout
    rate: Fraction
    """Frames per second."""
    model: bytes
    """SHA-256 of the model that the codes are of: `identity.py`."""
    maps: tuple[CodeMap, ...]


class Chunk(NamedTuple):
    """Frames whose codes lie in one record."""

    first: int
    """How many frames come before."""
    frames: int
    coded: bytes
    """By `entropy.py`."""


class TokenWriter:
    """Writes a token file from the front to the end."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file, self._digest, self.frames = file, hashlib.sha256(), 0
        self._put(MAGIC + _VERSION.pack(VERSION))
        self._put(_record(HEADER, _packed(header)))

    def write(self, frames: int, coded: bytes) -> None:
        self._put(_record(CHUNK, _CHUNK.pack(self.frames, frames) + coded))
        self.frames += frames

    def end(self) -> None:
        self._put(_record(END, _END.pack(self.frames, self._digest.digest())))

    def _put(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.write(content)


@contextmanager
def opened(path: Path) -> Iterator["TokenReader"]:
    """A token file, of which the header is read; DataError where there is none."""
    if not path.is_file():
        raise DataError(f"a token file is needed, and there is none at {path}. Name one.")
    with path.open("rb") as file:
        yield TokenReader(file, path)


class TokenReader:
    """Reads a token file from the front to the end; DataError, with one line, wherever it is not whole."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self.path, self._digest = file, path, hashlib.sha256()
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._check_version()
        self.header = self._header()

    def chunks(self) -> Iterator[Chunk]:
        frames = 0
        while True:
            before = self._digest.digest()
            kind, content = self._record()
            if kind == END:
                self._check_end(content, frames, before)
                return
            chunk = _chunk(content) if kind == CHUNK else None
            if chunk is None or chunk.first != frames:
                raise self._damaged("records are missing or out of order")
            frames += chunk.frames
            yield chunk

    def _check_version(self) -> None:
        head = self._file.read(len(MAGIC) + _VERSION.size)
        if not head.startswith(MAGIC) or len(head) < len(MAGIC) + _VERSION.size:
            raise DataError(
                f"a token file begins as `raysweep encode` writes it, {self.path} does not: it is another file, or "
                "damaged. Encode the video again."
            )
        (version,) = _VERSION.unpack_from(head, len(MAGIC))
        if version != VERSION:
            raise DataError(
                f"this raysweep reads token files of version {VERSION}, {self.path} says {version}: it is newer, or "
                "damaged. Upgrade raysweep, or encode the video again."
            )
        self._digest.update(head)

    def _header(self) -> Header:
        kind, content = self._record()
        if kind != HEADER:
            raise self._damaged("its header is missing")
        return _unpacked(content)

    def _record(self) -> tuple[bytes, bytes]:
        """Its kind and what it holds."""
        head = self._take(_HEAD.size)
        kind, size = _HEAD.unpack(head)
        content = self._take(size)
        (crc,) = _CRC.unpack(self._take(_CRC.size))
        if crc != crc32(content, crc32(head)):
            raise self._damaged("a checksum differs")
        return kind, content

    def _take(self, count: int) -> bytes:
        if self._file.tell() + count > self._size:
            raise self._damaged("it breaks off")
        content = self._file.read(count)
        self._digest.update(content)
        return content

    def _check_end(self, content: bytes, frames: int, digest: bytes) -> None:
        if _END.unpack(content) != (frames, digest):
            raise self._damaged("records are missing")
        if self._file.tell() != self._size:
            raise self._damaged("something follows its end")

    def _damaged(self, reason: str) -> DataError:
        return DataError(
            f"a token file must be whole, and {self.path} is damaged: {reason}, at byte {self._file.tell()} of "
            f"{self._size}. Copy it again, or encode the video again."
        )


def _record(kind: bytes, content: bytes) -> bytes:
    head = _HEAD.pack(kind, len(content))
    return head + content + _CRC.pack(crc32(content, crc32(head)))


def _packed(header: Header) -> bytes:
    sides, rate = header.layout, header.rate
    fixed = _HEADER.pack(*sides, rate.numerator, rate.denominator, header.model, len(header.maps))
    return fixed + b"".join(_MAP.pack(*one) for one in header.maps)


def _unpacked(content: bytes) -> Header:
    *sides, above, below, model, _ = _HEADER.unpack_from(content)
    maps = tuple(CodeMap(*one) for one in _MAP.iter_unpack(content[_HEADER.size :]))
    return Header(Layout(*sides), Fraction(above, below), model, maps)


def _chunk(content: bytes) -> Chunk:
    first, frames = _CHUNK.unpack_from(content)
    return Chunk(first, frames, content[_CHUNK.size :])
