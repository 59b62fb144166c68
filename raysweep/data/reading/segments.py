"""The rows of a store's tables as views of their memory: nothing is copied, whoever else has it mapped."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from raysweep.data.decoding.decode import Frames
from raysweep.data.storing.encoding import decode
from raysweep.errors import DataError


class Segment(NamedTuple):
    """Consecutive frames of one source, of one size."""

    first_frame: int
    frames: int
    size: tuple[int, int]
    """Height and width of its frames."""
    data: Frames
    """Bytes, flat."""
    ends: list[int]
    """encoding.Encoded.ends."""

    def read(self, wanted: range) -> Frames:
        """THWC: a view of raw frames; compressed ones are decoded."""
        if not self.ends:
            frames_THWC = self.data.reshape(self.frames, *self.size, 3)
            return frames_THWC[wanted.start : wanted.stop : wanted.step]
        starts = [0, *self.ends]
        return np.stack([decode(self.data[starts[i] : self.ends[i]]) for i in wanted])


def segments_by_source(tables: Iterable[pa.Table], resolution: int) -> dict[str, list[Segment]]:
    """In the order of their frames; DataError when the stored frames do not hold `resolution` pixels a side."""
    found = defaultdict(list)
    for table in tables:
        for source, segment in _segments(table):
            _require(segment.size, resolution)
            found[source].append(segment)
    return {name: sorted(of_one, key=lambda s: s.first_frame) for name, of_one in found.items()}


def _segments(table: pa.Table) -> Iterator[tuple[str, Segment]]:
    columns = ("source", "first_frame", "frames", "height", "width", "ends")
    described = zip(*(table[name].to_pylist() for name in columns), strict=True)
    for (source, first, frames, height, width, ends), data in zip(
        described, _views(table["data"]), strict=True
    ):
        yield source, Segment(first, frames, (height, width), data, ends)


def _views(column: pa.ChunkedArray) -> Iterator[Frames]:
    """Each value's bytes where they lie; a scalar of Arrow's would be a copy."""
    for chunk in column.chunks:
        _, offsets, data = chunk.buffers()
        bounds = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        flat = np.frombuffer(data, np.uint8)
        yield from (flat[start:end] for start, end in pairwise(bounds.tolist()))


def _require(size: Sequence[int], resolution: int) -> None:
    if min(size) < resolution:
        raise DataError(
            f"stored frames must hold data.resolution {resolution}, got {size[0]}x{size[1]} pixels. "
            "Set data.resolution to the store's."
        )
