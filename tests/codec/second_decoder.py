"""Token files read as `docs/codec.md` says, with nothing of raysweep and no library: slow, and short."""

import hashlib
import struct
import zlib
from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

PRECISION = 24


class Decoded(NamedTuple):
    height: int
    width: int
    tile_height: int
    tile_width: int
    rate: Fraction
    model: bytes
    codes: list[list[list[int]]]
    """Per tile, in order: per code map its ids, row by row."""


def read(content: bytes) -> Decoded:
    assert content[:10] == b"\x89RSV\r\n\x1a\n\x01\x00"
    records, at = [], 10
    while at < len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        payload = content[at + 8 : at + 8 + size]
        (crc,) = struct.unpack_from("<I", content, at + 8 + size)
        assert crc == zlib.crc32(content[at : at + 8 + size])
        if kind == b"done":
            digest = hashlib.sha256(content[:at]).digest()
        records.append((kind, payload))
        at += 12 + size
    kinds = [kind for kind, _ in records]
    assert kinds == [b"head", *[b"code"] * (len(records) - 2), b"done"]
    height, width, tile_height, tile_width, over, under, model, maps = struct.unpack_from(
        "<6I32sI", records[0][1]
    )
    sizes = [struct.unpack_from("<2I", records[0][1], 60 + 8 * n) for n in range(maps)]
    tiles = -(-height // tile_height) * -(-width // tile_width)
    shapes = [(size, tile_height // factor, tile_width // factor) for size, factor in sizes]
    coders = [MapCoder(*shape) for shape in shapes]
    codes, frames = [], 0
    for _, payload in records[1:-1]:
        first, count = struct.unpack_from("<QI", payload)
        assert first == frames
        frames += count
        decoder = RangeDecoder(payload[12:])
        for number in range(count * tiles):
            codes.append([coder.tile(decoder, number % tiles) for coder in coders])
    assert records[-1][1] == struct.pack("<Q32s", frames, digest)
    return Decoded(height, width, tile_height, tile_width, Fraction(over, under), model, codes)


class MapCoder:
    def __init__(self, size: int, height: int, width: int) -> None:
        self.ids, self.changes = Weights(size), [Weights(2) for _ in range(10)]
        self.height, self.width = height, width
        self.before: dict[int, tuple[list[int], list[int]]] = {}

    def tile(self, decoder: "RangeDecoder", tile: int) -> list[int]:
        positions = range(self.height * self.width)
        ids, changed = [0 for _ in positions], [1 for _ in positions]
        if tile in self.before:
            ids = list(self.before[tile][0])
            around = [self.around(self.before[tile][1], at) for at in positions]
            for count, weights in enumerate(self.changes):
                where = [at for at in positions if around[at] == count]
                for at, flag in zip(where, weights.decode(decoder, len(where)), strict=True):
                    changed[at] = flag
        where = [at for at in positions if changed[at]]
        for at, one in zip(where, self.ids.decode(decoder, len(where)), strict=True):
            ids[at] = one
        self.before[tile] = ids, changed
        return ids

    def around(self, changed: list[int], at: int) -> int:
        row, column = divmod(at, self.width)
        rows = range(max(0, row - 1), min(self.height, row + 2))
        columns = range(max(0, column - 1), min(self.width, column + 2))
        return sum(changed[y * self.width + x] for y in rows for x in columns)


class Weights:
    def __init__(self, size: int) -> None:
        self.weights, self.limit = [1] * max(2, size), max(2**15, 64 * size)

    def decode(self, decoder: "RangeDecoder", count: int) -> list[int]:
        left = self.boundaries()
        ids = [decoder.symbol(left) for _ in range(count)]
        for one in ids:
            self.weights[one] += 16
        if sum(self.weights) > self.limit:
            self.weights = [-(-weight // 2) for weight in self.weights]
        return ids

    def boundaries(self) -> list[int]:
        """Where each id's share of 2^24 begins, and the end of the last."""
        scale = (2**PRECISION - len(self.weights)) / float(sum(self.weights))
        before = accumulate(self.weights[:-1], initial=0)
        return [int(weight * scale) + n for n, weight in enumerate(before)] + [2**PRECISION]


class RangeDecoder:
    def __init__(self, coded: bytes) -> None:
        self.words = iter(struct.unpack(f"<{len(coded) // 4}I", coded))
        self.lower, self.range = 0, 2**64 - 1
        self.point = next(self.words, 0) << 32 | next(self.words, 0)

    def symbol(self, left: list[int]) -> int:
        scale = self.range >> PRECISION
        quantile = (self.point - self.lower) % 2**64 // scale
        symbol = bisect_right(left, quantile) - 1
        self.lower = (self.lower + scale * left[symbol]) % 2**64
        self.range = scale * (left[symbol + 1] - left[symbol])
        if self.range < 2**32:
            self.lower, self.range = self.lower << 32 & 2**64 - 1, self.range << 32
            self.point = self.point << 32 & 2**64 - 1 | next(self.words, 0)
        return symbol
