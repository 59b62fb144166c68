"""One shard: an Arrow file with the frames of one source, which maps into memory as it lies on the disk.

A row is a segment of up to SEGMENT_FRAMES consecutive frames of one size. Arrow and not Parquet, whose
bytes have to be unpacked into every process that reads; uncompressed by default, since on 128-pixel video
Zstandard halves the size and reads six times slower (`encoding` has what compresses pictures well).
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from raysweep.data.decode import Frames
from raysweep.data.encoding import encode
from raysweep.data.preprocessing import Preprocessing
from raysweep.errors import DataError

SUFFIX = ".arrow"
SEGMENT_FRAMES = 32
"""Source frames in a segment, at most: 1.5 MB at 128 pixels, raw."""

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("first_frame", pa.int32()),
        ("frames", pa.int32()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("data", pa.binary()),
        ("ends", pa.list_(pa.int32())),  # encoding.Encoded.ends
    ]
)


def shard_name(source: str) -> str:
    """A file name that any file system takes, the same for the same source's name, without suffix."""
    return hashlib.sha256(source.encode()).hexdigest()[:24]


def write_shard(
    path: Path, source: str, frames_HWC: Iterable[Frames], settings: Preprocessing
) -> int:
    """Streams frames into a shard, whole or not at all; returns how many there were."""
    first_frame = 0
    with whole_file(path) as part, pa.ipc.new_file(part, SCHEMA) as writer:
        for segment in _segments(frames_HWC):
            encoded, (height, width) = encode(segment, settings), segment[0].shape[:2]
            row = (source, first_frame, len(segment), height, width, *encoded)
            writer.write_batch(pa.record_batch([[value] for value in row], schema=SCHEMA))
            first_frame += len(segment)
    return first_frame


def read_shard(path: Path) -> pa.Table:
    """The segments, memory-mapped; DataError when the file is absent or damaged."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (FileNotFoundError, pa.ArrowInvalid, OSError) as error:
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


def _segments(frames_HWC: Iterable[Frames]) -> Iterator[list[Frames]]:
    for _, of_one_size in groupby(frames_HWC, key=lambda frame_HWC: frame_HWC.shape):
        yield from _groups(of_one_size, SEGMENT_FRAMES)


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
