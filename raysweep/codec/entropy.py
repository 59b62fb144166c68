"""Codes -> bytes and back: a range coder, told by the codes before how likely the next ones are.

A code mostly is what it was a frame before. So each position first says whether it has changed, which is the
likelier the more positions around it changed the last time; and then which code is there, if it has. With 512 codes
(k-means of 8 x 8 pixels) of two films this took 1.1 and 1.9 bits a code; their frequencies alone, 6.5 and 5.3.

The coder is constriction's (Bamler 2022, "Understanding entropy coding with asymmetric numeral systems"), of which
`docs/codec.md` says all that a decoder needs. Shapes: n tiles a frame, N = frames x n; h x w positions; K ids.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from constriction import stream
from numpy.typing import NDArray

from raysweep.codec.network import Codes

SEEN = 16
"""What an id that was seen weighs, beside 1 for one that never was."""
SHORTEST, LONGEST = 2**15, 64
"""The sum of an alphabet's weights at which all are halved: as much, or LONGEST for each of its ids if that is more.
So what was seen long ago counts less."""
NEIGHBOURS = 9
"""Positions in the square of 3 x 3 around one, itself among them."""
_WORD = np.dtype("<u4")

Ids = NDArray[np.int32]
Mask = NDArray[np.bool_]


class TokenCoder:
    """Codes the chunks of a file in their order, each by what came before it."""

    def __init__(self, sizes: Sequence[int], tiles: int) -> None:
        """`sizes`: K of each code map; `tiles`: of a frame."""
        self._maps, self._tiles = [_MapCoder(size) for size in sizes], tiles

    def encode(self, codes: Codes) -> bytes:
        """Of whole frames: (N, h, w) per map."""
        encoder = stream.queue.RangeEncoder()
        arrays = [ids_Nhw.numpy().astype(np.int32) for ids_Nhw in codes]
        for number, maps in enumerate(zip(*arrays, strict=True)):
            for coder, ids_hw in zip(self._maps, maps, strict=True):
                coder.encode(encoder, number % self._tiles, ids_hw)
        return bytes(encoder.get_compressed().astype(_WORD).tobytes())

    def decode(self, coded: bytes, shapes: Sequence[tuple[int, int, int]]) -> Codes:
        """`shapes`: N, h and w of each map."""
        decoder = stream.queue.RangeDecoder(np.frombuffer(coded, _WORD).astype(np.uint32))
        arrays = [np.empty(shape, np.int32) for shape in shapes]
        for number, maps in enumerate(zip(*arrays, strict=True)):
            for coder, ids_hw in zip(self._maps, maps, strict=True):
                coder.decode_into(decoder, number % self._tiles, ids_hw)
        return tuple(torch.from_numpy(ids).long() for ids in arrays)


class _Before(NamedTuple):
    """A tile in the frame before."""

    ids_hw: Ids
    changed_hw: Mask
    """Where it was another one than in the frame before that."""


class _MapCoder:
    """One code map, in every tile."""

    def __init__(self, size: int) -> None:
        self._ids = _Weights(size)
        self._changes = [_Weights(2) for _ in range(NEIGHBOURS + 1)]
        """By how many changed around a position the last time."""
        self._before: dict[int, _Before] = {}

    def encode(self, encoder: stream.queue.RangeEncoder, tile: int, ids_hw: Ids) -> None:
        changed_hw = np.ones(ids_hw.shape, np.bool_)
        if tile in self._before:
            changed_hw = ids_hw != self._before[tile].ids_hw
        for weights, where_hw in self._contexts(tile):
            weights.encode(encoder, changed_hw[where_hw].astype(np.int32))
        self._ids.encode(encoder, ids_hw[changed_hw])
        self._before[tile] = _Before(ids_hw, changed_hw)

    def decode_into(self, decoder: stream.queue.RangeDecoder, tile: int, ids_hw: Ids) -> None:
        changed_hw = np.ones(ids_hw.shape, np.bool_)
        for weights, where_hw in self._contexts(tile):
            changed_hw[where_hw] = weights.decode(decoder, int(where_hw.sum()))
        if tile in self._before:
            ids_hw[...] = self._before[tile].ids_hw
        ids_hw[changed_hw] = self._ids.decode(decoder, int(changed_hw.sum()))
        self._before[tile] = _Before(ids_hw, changed_hw)

    def _contexts(self, tile: int) -> "Iterator[tuple[_Weights, Mask]]":
        """Positions whose changes are as likely; none in the first frame, in which all are new."""
        if tile in self._before:
            around_hw = _around(self._before[tile].changed_hw)
            for count, weights in enumerate(self._changes):
                yield weights, around_hw == count


class _Weights:
    """What is known of the next of K ids: whole numbers, in float64 as constriction takes them."""

    def __init__(self, size: int) -> None:
        self._of_K = np.ones(max(2, size))  # constriction has no alphabet of one
        self._limit = max(SHORTEST, LONGEST * size)

    def encode(self, encoder: stream.queue.RangeEncoder, ids: Ids) -> None:
        if ids.size:
            encoder.encode(ids, self._model())
            self._add(ids)

    def decode(self, decoder: stream.queue.RangeDecoder, count: int) -> Ids:
        if not count:
            return np.empty(0, np.int32)
        ids: Ids = decoder.decode(self._model(), count)
        self._add(ids)
        return ids

    def _model(self) -> stream.model.Categorical:
        return stream.model.Categorical(self._of_K, perfect=False)

    def _add(self, ids: Ids) -> None:
        self._of_K += SEEN * np.bincount(ids, minlength=len(self._of_K))
        if self._of_K.sum() > self._limit:
            self._of_K = np.ceil(self._of_K / 2)


def _around(changed_hw: Mask) -> NDArray[np.int64]:
    """How many of the 3 x 3 positions around each one; there are none beyond the border."""
    height, width = changed_hw.shape
    wide = np.pad(changed_hw, 1).astype(np.int64)
    parts = (wide[y : y + height, x : x + width] for y in range(3) for x in range(3))
    return np.sum(list(parts), axis=0)
