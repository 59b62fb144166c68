"""One shard: a Parquet file with the frames of one source, as raw bytes that read at memory speed.

A row is a segment of up to SEGMENT_FRAMES consecutive frames, THWC RGB uint8. The bytes are BINARY since
Parquet widens a column of uint8 numbers to int32, and uncompressed: on 128-pixel video Zstandard
halves the size and reads six times slower.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raysweep.data.decode import Frames
from raysweep.errors import DataError

SEGMENT_FRAMES = 32
"""Source frames in a segment, at most: 1.5 MB at 128 pixels."""
ROW_GROUP_SEGMENTS = 4
"""Segments in memory while writing."""

_COLUMNS = [("source", pa.string()), ("first_frame", pa.int32()), ("frames", pa.int32())]
SCHEMA = pa.schema([*_COLUMNS, ("data", pa.binary())])


def shard_name(source: str) -> str:
    """A file name that any file system takes, the same for the same source's name, without suffix."""
    return hashlib.sha256(source.encode()).hexdigest()[:24]


def write_shard(path: Path, source: str, frames_HWC: Iterable[Frames]) -> int:
    """Streams frames of one size into a shard, whole or not at all; returns how many there were."""
    frames = 0
    with whole_file(path) as part, _writer(part) as writer:
        segments = _groups(frames_HWC, SEGMENT_FRAMES)
        for group in _groups(segments, ROW_GROUP_SEGMENTS):
            writer.write_table(_table(source, frames, group))
            frames += sum(len(segment) for segment in group)
    return frames


def read_shard(path: Path) -> pa.Table:
    """The segments, memory-mapped; DataError when the file is absent or damaged."""
    try:
        return pq.read_table(path, schema=SCHEMA, memory_map=True)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"every shard of a store must be whole, {path} is not ({reason}). "
            "Delete the store and prepare it again."
        ) from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it becomes `path` at the end, or goes on an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)  # mkstemp's 0600 would keep other users of a shared store out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


T = TypeVar("T")


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _table(source: str, first_frame: int, segments: list[list[Frames]]) -> pa.Table:
    counts = [len(segment) for segment in segments]
    starts = [first_frame + before for before in accumulate(counts[:-1], initial=0)]
    data = [np.stack(segment).tobytes() for segment in segments]
    return pa.table([[source] * len(counts), starts, counts, data], schema=SCHEMA)


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path, SCHEMA, compression="none", use_dictionary=False, write_statistics=False
    )
