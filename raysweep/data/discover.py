"""Which videos there are: a folder, one file, or a list of paths becomes sorted, named sources."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from raysweep.data.decode import READERS, is_readable, readable_name
from raysweep.errors import DataError

Split = Literal["train", "valid"]

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "valid": "valid",
    "vaild": "valid",  # as the earlier system's settings spell it
    "val": "valid",
}
"""First folder below the root -> what its videos are for."""


@dataclass(frozen=True)
class Source:
    """One video file."""

    name: str
    """Posix path relative to the root it was found under: what the store and the clips call it."""
    path: Path
    """Where it is, absolute."""
    split: Split | None
    """By its folder, where `train` and a validation folder stand side by side; None otherwise."""


def discover(source: str | Path, split: str = "auto") -> list[Source]:
    """The videos of a folder (recursively), of one file, or of a .txt list, sorted by name.

    `split` is DataConfig.split. "folders" takes only videos below `train` and `valid` (or `vaild`, `val`)
    and needs both; "auto" does the same where both exist; otherwise all videos are taken. Hidden files
    are passed over, links followed. Raises DataError when nothing is found.
    """
    path = Path(source).expanduser().absolute()
    sources = _labelled(_named(_paths(path)) if path.is_file() else _below(path))
    if not sources:
        raise DataError(f"data.source holds no video: {path}. {_SUFFIXES_READ}")
    labelled = [found for found in sources if found.split]
    if split == "folders" and not labelled:
        raise DataError(
            "data.split 'folders' needs videos in a folder train and in one of valid, vaild, val, "
            f"got none such below {path}. Make the folders or set data.split to auto."
        )
    return labelled if labelled and split in ("auto", "folders") else sources


_SUFFIXES_READ = f"Put videos there; these suffixes are read: {' '.join(sorted(READERS))}"


def _paths(file: Path) -> list[Path]:
    if file.suffix.lower() == ".txt":
        return _listed(file)
    if is_readable(file):
        return [file]
    raise DataError(
        f"data.source must be a folder, a video or a .txt list, got {file}. {_SUFFIXES_READ}"
    )


def _listed(file: Path) -> list[Path]:
    text = file.read_text(encoding="utf-8-sig", errors="surrogateescape")  # as file names are read
    lines = (line.strip() for line in text.split("\n"))
    paths = [file.parent / Path(line).expanduser() for line in lines if line]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"every line of {file} must name a file, {readable_name(str(missing[0]))} does not exist. "
            "Correct the line; relative paths start at the list's folder."
        )
    return sorted({Path(os.path.normpath(path)) for path in paths})


def _named(paths: Sequence[Path]) -> list[Source]:
    root = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    return _sources(paths, root)


def _below(root: Path) -> list[Source]:
    if not root.is_dir():
        raise DataError(
            f"data.source must exist, got {root}. Give a folder of videos, a video, or a .txt list."
        )
    found = (folder / name for folder, names in _folders(root) for name in names)
    return _sources([path for path in found if is_readable(path) and path.is_file()], root)


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder with the names in it, neither hidden; links are followed, each folder is seen once."""
    seen: set[Path] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        real = Path(folder).resolve()
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        yield Path(folder), [name for name in names if not name.startswith(".")]


def _sources(paths: Sequence[Path], root: Path) -> list[Source]:
    def named(path: Path) -> Source:
        return Source(readable_name(path.relative_to(root).as_posix()), path, None)

    return sorted(map(named, paths), key=lambda source: source.name)


def _labelled(sources: list[Source]) -> list[Source]:
    by_folder = [replace(source, split=_folder_split(source.name)) for source in sources]
    both = {source.split for source in by_folder} >= {"train", "valid"}
    return by_folder if both else sources


def _folder_split(name: str) -> Split | None:
    folder, slash, _ = name.partition("/")
    return SPLIT_FOLDERS.get(folder) if slash else None
