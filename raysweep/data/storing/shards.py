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
from io import FileIO
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from raysweep.data.decoding.decode import Frames
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.storing.encoding import Encoded, encode, psnr, squared_error
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


class Written(NamedTuple):
    """What went into a shard; the names are SourceRecord's."""

    frames: int
    frame_bytes: int
    shard_bytes: int
    sha256: str
    psnr: float | None


def shard_name(source: str, source_bytes: int) -> str:
    """A file name that any file system takes, without suffix: another for a replaced file, so that a store
    can be read while its next shards are made."""
    return hashlib.sha256(f"{source}\n{source_bytes}".encode()).hexdigest()[:24]


def write_shard(
    path: Path,
    source: str,
    frames_HWC: Iterable[Frames],
    settings: Preprocessing,
    parts: Path | None = None,
) -> Written:
    """Streams frames into a shard, whole or not at all; `parts` as in `whole_file`."""
    first_frame, frame_bytes, errors = 0, 0, []
    with whole_file(path, parts) as part, part.open("wb", buffering=0) as file:
        hashed = _Hashed(file)
        with pa.ipc.new_file(pa.PythonFile(hashed, "w"), SCHEMA) as writer:
            for segment in _segments(frames_HWC):
                encoded = encode(segment, settings)
                writer.write_batch(_row(source, first_frame, segment, encoded))
                errors.append(squared_error(segment[0], encoded))
                first_frame += len(segment)
                frame_bytes += sum(frame_HWC.nbytes for frame_HWC in segment)
        shard_bytes = file.tell()
    lost = psnr(sum(errors) / len(errors)) if errors else None
    return Written(first_frame, frame_bytes, shard_bytes, hashed.digest.hexdigest(), lost)


def read_shard(path: Path) -> pa.Table:
    """The segments, memory-mapped; DataError when the file is absent or damaged."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (FileNotFoundError, pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"every shard of a store must be whole, {path} is not ({reason}). "
            "`raysweep prepare --verify` names what is damaged; start again if the store was updated meanwhile."
        ) from None


@contextmanager
def whole_file(path: Path, parts: Path | None = None) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` at the end, or goes on an error.

    It lies in the folder `parts` of the same file system, by default beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-", suffix=path.suffix, dir=parts or path.parent
    )
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)  # mkstemp's 0600 would keep other users of a shared store out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Waits until a file is on the disk, where a power cut cannot take it away."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


T = TypeVar("T")


def _segments(frames_HWC: Iterable[Frames]) -> Iterator[list[Frames]]:
    for _, of_one_size in groupby(frames_HWC, key=lambda frame_HWC: frame_HWC.shape):
        yield from _groups(of_one_size, SEGMENT_FRAMES)


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _row(source: str, first_frame: int, segment: list[Frames], encoded: Encoded) -> pa.RecordBatch:
    """The encoded bytes go into the file from where they lie: Arrow copies none."""
    ends = np.array([0, encoded.data.nbytes], np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(encoded.data)]
    height, width = segment[0].shape[:2]
    described = (source, first_frame, len(segment), height, width)
    columns = [
        *([value] for value in described),
        pa.Array.from_buffers(pa.binary(), 1, buffers),
        [encoded.ends],
    ]
    return pa.record_batch(columns, schema=SCHEMA)


class _Hashed:
    """A file that is hashed as it is written."""

    closed = False

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        written = 0
        while written < len(data):  # the last room on a disk may take a part
            written += self._file.write(data[written:])
        return written

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()
