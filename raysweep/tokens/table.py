"""The rows of a shard, and what its file says of itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError
from torch import Tensor

from raysweep.data.storing.manifest import SourceRecord
from raysweep.errors import DataError
from raysweep.schema import Config
from raysweep.tokens.job import CodeMap, Job

NOTE = b"raysweep"
"""Key of a Parquet file's metadata."""
GROUP_ROWS = 8192
"""Frames in a row group, at most: what a reader takes in at once."""


class Place(NamedTuple):
    """Where a frame is from: the columns of a row before its codes."""

    source: str
    frame: int
    source_frame: int
    seconds: float | None
    scene: int


class Note(Config):
    """What a shard's file says of itself."""

    job: Job
    records: tuple[SourceRecord, ...]
    """Of its sources."""


def schema(maps: Sequence[CodeMap]) -> pa.Schema:
    """A row is a frame; a column of codes has its map row by row, in the smallest type that holds its ids."""
    return pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("frame", pa.int32(), nullable=False),
            pa.field("source_frame", pa.int32(), nullable=False),
            pa.field("seconds", pa.float64()),
            pa.field("scene", pa.int32(), nullable=False),
            *(_codes_field(number, one) for number, one in enumerate(maps)),
        ]
    )


def rows(
    places: Sequence[Place], codes: Sequence[Tensor], maps: Sequence[CodeMap]
) -> pa.RecordBatch:
    """`codes`: a tensor (frames, height, width) per map."""
    of = schema(maps)
    columns = [pa.array(column) for column in zip(*places, strict=True)]
    for ids, field in zip(codes, list(of)[len(columns) :], strict=True):
        columns.append(_codes_column(ids, field.type))
    return pa.record_batch(
        [column.cast(field.type) for column, field in zip(columns, of, strict=True)], schema=of
    )


def write(path: Path, table: pa.Table, note: Note) -> None:
    """Codes come smaller as a dictionary, whose indices take 10 bits for 1,024 ids, than as numbers."""
    said = table.replace_schema_metadata({NOTE: note.model_dump_json()})
    pq.write_table(said, path, row_group_size=GROUP_ROWS, compression="zstd")


def read_note(file: pa.NativeFile, name: str) -> Note:
    """DataError where it is no whole shard of ours."""
    try:
        metadata = pq.read_metadata(file).metadata or {}
        return Note.model_validate_json(metadata[NOTE])
    except (pa.ArrowInvalid, KeyError, ValidationError):
        raise DataError(
            f"a folder of codes holds the files that `raysweep tokenize` wrote, whole, and {name} is none. "
            "Delete it, and start again."
        ) from None


def _codes_field(number: int, of: CodeMap) -> pa.Field:
    least = np.min_scalar_type(of.codebook_size - 1)
    id_type = pa.from_numpy_dtype(least)
    element = pa.field("element", id_type, nullable=False)
    described = {name: str(value) for name, value in of.model_dump().items()}
    codes = pa.list_(element, of.height * of.width)
    return pa.field(f"codes_{number}", codes, nullable=False, metadata=described)


def _codes_column(ids: Tensor, of: pa.DataType) -> pa.Array:
    flat = ids.reshape(-1).numpy().astype(of.value_type.to_pandas_dtype())
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), type=of)
