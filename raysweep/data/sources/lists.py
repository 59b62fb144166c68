"""Files that list footage: `.txt`, a path a line; `.csv`, `.jsonl` and `.parquet`, with a column `path` and,
where the list says what is for what, a column `split`.

Relative paths start at the list's folder; URIs are taken too. Rows count from 1, without a header.
"""

import posixpath
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import csv, json, parquet

from raysweep.data.decoding.decode import readable_name
from raysweep.data.sources.disks import Found
from raysweep.data.sources.labels import SPLIT_WORDS, Split
from raysweep.data.sources.places import File, Place, place_of
from raysweep.errors import DataError


class Row(NamedTuple):
    """What a list says of one file."""

    number: int
    path: str
    """As written; empty: nothing."""
    split: str
    """As written; empty: nothing."""


def is_list(name: str) -> bool:
    return posixpath.splitext(name)[1].lower() in LISTS


def listed(file: Found) -> list[Found]:
    """What the rows name, in their order; DataError, with the row, where one names nothing."""
    rows = _read(file)
    folder = Place(posixpath.dirname(file.path), file.remote)
    splits = [_split(row, file) for row in rows]
    found = _found([place_of(row.path, folder) for row in rows])
    for row, there in zip(rows, found, strict=True):
        if there is None:
            raise DataError(
                f"every row of {file.shown} must name a file, {readable_name(row.path)} does not exist (row "
                f"{row.number}). Correct it; relative paths start at the list's folder."
            )
    return [
        there._replace(split=split) for there, split in zip(found, splits, strict=True) if there
    ]


def _read(file: Found) -> list[Row]:
    with File(file.shown, Path(file.path), file.size, file.remote).local() as path:
        try:
            return LISTS[path.suffix.lower()](path, file.shown)
        except OSError as error:
            raise DataError(
                f"a list must be readable, {file.shown} is not: {error.strerror or error}. See to that."
            ) from None


def _found(places: Sequence[Place]) -> list[Found | None]:
    """One question to each file system."""
    by_remote: dict[str | None, list[Place]] = defaultdict(list)
    for place in places:
        by_remote[place.remote].append(place)
    found = {
        place: there
        for of_one in by_remote.values()
        for place, there in zip(of_one, of_one[0].disk.look([p.path for p in of_one]), strict=True)
    }
    return [found[place] for place in places]


def _split(row: Row, file: Found) -> Split | None:
    if not row.path:
        raise DataError(
            f"every row of {file.shown} must have a path, row {row.number} has none. Add it."
        )
    if row.split and row.split.lower() not in SPLIT_WORDS:
        raise DataError(
            f"split in {file.shown} must be one of {', '.join(SPLIT_WORDS)} or empty, got {row.split!r} in "
            f"row {row.number}. Correct it."
        )
    return SPLIT_WORDS.get(row.split.lower())


def _lines(file: Path, name: str) -> list[Row]:
    """Empty lines are passed over."""
    text = file.read_bytes()
    if b"\0" in text:
        raise DataError(f"a list must be text in UTF-8, {name} is not. Save it as that.")
    lines = text.decode("utf-8-sig", "surrogateescape").split("\n")  # as file names are read
    return [Row(at, line.strip(), "") for at, line in enumerate(lines, 1) if line.strip()]


def _table(read: Callable[[Path], pa.Table]) -> "Read":
    def rows(file: Path, name: str) -> list[Row]:
        try:
            table = read(file)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DataError(
                f"{name} must be a {file.suffix} file, and cannot be read as one: {reason}. Correct it."
            ) from None
        return _rows(table, name)

    return rows


def _rows(table: pa.Table, name: str) -> list[Row]:
    columns = {str(column).strip(): at for at, column in enumerate(table.column_names)}
    if "path" not in columns:
        raise DataError(
            f"{name} must have a column path, got {', '.join(columns) or 'none'}. Name the column of files "
            "path."
        )
    paths = _words(table.column(columns["path"]))
    splits = _words(table.column(columns["split"])) if "split" in columns else [""] * len(paths)
    return [Row(at, *row) for at, row in enumerate(zip(paths, splits, strict=True), 1)]


def _words(column: pa.ChunkedArray) -> list[str]:
    return ["" if word is None else str(word).strip() for word in column.to_pylist()]


def _read_csv(file: Path) -> pa.Table:
    """Every column as text: a path such as 0001 is no number."""
    quoted = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(file, parse_options=quoted) as reader:
        text = dict.fromkeys(reader.schema.names, pa.string())
    as_text = csv.ConvertOptions(column_types=text)
    return csv.read_csv(file, parse_options=quoted, convert_options=as_text)


Read = Callable[[Path, str], list[Row]]
"""Of a file, and of what to call it in a message."""

LISTS: Mapping[str, Read] = {
    ".txt": _lines,
    ".csv": _table(_read_csv),
    ".jsonl": _table(json.read_json),
    ".parquet": _table(parquet.read_table),
}
"""Suffix -> the function that reads such a list."""
