"""What the entries of a source come to: each a folder, a file, a pattern, or a list of files."""

import posixpath
from collections.abc import Sequence
from functools import partial
from glob import has_magic
from typing import NamedTuple

from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    READERS,
    Readers,
    is_readable,
    readable_name,
)
from raysweep.data.sources.disks import Found, Wanted, fixed_part
from raysweep.data.sources.lists import LISTS, is_list, listed
from raysweep.data.sources.places import Paths, Place, entries_of, place_of
from raysweep.errors import DataError

EVERYTHING: Readers = {**READERS, **IMAGE_READERS}


class Entry(NamedTuple):
    """What one entry of a source came to."""

    root: str
    """Found.whole of the folder that names are relative to, or to what it has in common with the others'."""
    files: list[Found]


class Named(NamedTuple):
    """A file, and what to call it."""

    name: str
    """Posix path relative to the root."""
    found: Found


def list_entries(source: Paths, setting: str, readers: Readers) -> list[Entry]:
    """DataError, about `setting`, where an entry names nothing; files of a folder or a pattern are those
    that have a reader, files of a list all."""
    wanted = partial(is_readable, readers=readers)
    return [_entry(entry, setting, wanted) for entry in entries_of(source)]


def is_there(source: Paths) -> bool:
    """Whether every entry still names something, whatever that holds."""
    try:
        return all(map(_names_something, entries_of(source)))
    except DataError:  # out of reach
        return False


def named(entries: Sequence[Entry]) -> list[Named]:
    """Each path once, sorted by name; DataError where lists have it serve different splits."""
    root = posixpath.commonpath([entry.root for entry in entries])
    found: dict[str, Found] = {}
    for file in (file for entry in entries for file in entry.files):
        if found.setdefault(file.whole, file).split != file.split:
            raise DataError(
                f"a file serves one split, and {file.shown} is listed for {found[file.whole].split} and for "
                f"{file.split}. Remove one of the rows."
            )
    start = len(root.rstrip("/")) + 1
    return sorted(Named(readable_name(whole[start:]), file) for whole, file in found.items())


def _entry(entry: str, setting: str, wanted: Wanted) -> Entry:
    place = _place(entry)
    (found,) = place.disk.look([place.path])
    if found and found.is_folder:
        return Entry(found.whole, list(place.disk.below(found.path, wanted)))
    if found:
        return _file(found, setting, wanted)
    if has_magic(place.path):
        return _matching(place, setting, wanted)
    raise DataError(
        f"{setting} must exist, got {readable_name(entry)}. Give a folder of videos or images, a file, a "
        "pattern, or a list of files."
    )


def _file(found: Found, setting: str, wanted: Wanted) -> Entry:
    if is_list(found.path):
        return _listed(found, wanted)
    if is_readable(found.path, EVERYTHING):
        return Entry(_folder_of(found), [found])
    raise DataError(
        f"{setting} must be a folder, a video, an image or a list of files, got {found.shown}. "
        f"These suffixes are read: {' '.join(sorted([*EVERYTHING, *LISTS]))}"
    )


def _listed(file: Found, wanted: Wanted) -> Entry:
    """A folder that a row names stands for all in it."""
    rows = listed(file)
    files = [there for row in rows for there in (_inside(row, wanted) if row.is_folder else [row])]
    return Entry(posixpath.commonpath({_folder_of(row) for row in rows or [file]}), files)


def _inside(folder: Found, wanted: Wanted) -> list[Found]:
    disk = Place(folder.path, folder.remote).disk
    return [file._replace(split=folder.split) for file in disk.below(folder.path, wanted)]


def _matching(pattern: Place, setting: str, wanted: Wanted) -> Entry:
    matches = list(pattern.disk.matching(pattern.path))
    if not matches:
        raise DataError(
            f"{setting} must match something, and {readable_name(pattern.path)} does not. Correct the pattern."
        )
    root = matches[0]._replace(path=fixed_part(pattern.path)).whole
    return Entry(root, [found for found in matches if wanted(found.path)])


def _names_something(entry: str) -> bool:
    place = _place(entry)
    if place.disk.look([place.path]) != [None]:
        return True
    return has_magic(place.path) and any(place.disk.matching(place.path))


def _place(entry: str) -> Place:
    return place_of(entry, Place("/", None))


def _folder_of(found: Found) -> str:
    return posixpath.dirname(found.whole)


def suffixes_read(readers: Readers) -> str:
    return f"Put some there; these suffixes are read: {' '.join(sorted(readers))}"
