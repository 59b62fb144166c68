"""Which footage there is: folders, files, patterns and lists of paths become sorted, named sources."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Literal, NamedTuple

from raysweep.data.decode import IMAGE_READERS, READERS, Readers, is_readable, readable_name
from raysweep.errors import DataError

Split = Literal["train", "valid", "test"]

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "valid": "valid",
    "vaild": "valid",  # as the earlier system's settings spell it
    "val": "valid",
}
"""First folder below the root -> what its videos are for."""

IMAGES_PER_SOURCE = 512
"""Images that lie together in one shard, at most: 25 MB at 128 pixels."""

Paths = str | Path | Sequence[str | Path]
"""A folder (read recursively), a file, a .txt list of paths, a pattern with `*`, or several of these."""


class File(NamedTuple):
    """One video or image."""

    name: str
    """Posix path relative to the root it was found under."""
    path: Path
    """Where it is, absolute."""


@dataclass(frozen=True)
class Source:
    """Files whose frames lie together in one shard: one video, or many images."""

    name: str
    """What the store and the clips call it: the name of the one video; for images what they are for,
    a number and a hash of their names."""
    files: tuple[File, ...]
    split: Split | None
    """By its folder, where `train` and a validation folder stand side by side, or by the setting that
    named it; None otherwise."""
    frames: bool = False
    """The files are images, and in this order the frames of one video."""

    @property
    def size(self) -> int:
        """Bytes of all files; one that is gone counts as empty."""
        return sum(path.stat().st_size for _, path in self.files if path.is_file())


def discover(
    source: Paths, split: str = "auto", *, validation: Paths | None = None, images: bool = False
) -> list[Source]:
    """The videos of `source`, each a source, or its images, many to a source; sorted by name.

    `split` is DataConfig.split. "folders" takes only files below `train` and `valid` (or `vaild`, `val`)
    and needs both; "auto" does the same where both exist; otherwise all files are taken. With `validation`,
    everything in `source` trains and everything there validates. Hidden files are passed over, links
    followed. Raises DataError when nothing is found.
    """
    found = _entries(source, "data.source", images)
    if validation is None:
        labelled = _by_folder(_named(found), split, source)
    else:
        apart = _entries(validation, "data.validation_source", images)
        labelled = _by_setting(_named([*found, *apart]), found, apart)
    if images:
        return _together(labelled)
    return [Source(file.name, (file,), split) for file, split in labelled]


def entries_of(source: Paths) -> list[str]:
    """One by one, `~` being the home folder."""
    given = [source] if isinstance(source, str | Path) else source
    return [str(Path(entry).expanduser()) for entry in given]


def is_there(source: Paths) -> bool:
    """Whether every entry still names something, whatever that holds."""
    return all(
        Path(entry).exists() or (has_magic(entry) and _matches(_absolute(Path(entry))))
        for entry in entries_of(source)
    )


class _Entry(NamedTuple):
    """What one entry of a source came to."""

    root: Path
    """Names are relative to it, or to what it has in common with the other entries'."""
    paths: list[Path]


_Labelled = list[tuple[File, Split | None]]


def _entries(source: Paths, setting: str, images: bool) -> list[_Entry]:
    given = entries_of(source)
    readers, others = (IMAGE_READERS, READERS) if images else (READERS, IMAGE_READERS)
    found = [_entry(entry, setting, readers) for entry in given]
    paths = [path for entry in found for path in entry.paths]
    if any(is_readable(path, readers) for path in paths):
        return found
    wanted, where = "image" if images else "video", _shown(source)
    if any(
        is_readable(path, others)
        for entry in given
        for path in _entry(entry, setting, others).paths
    ):
        raise DataError(
            f"{setting} holds no {wanted}, but {'videos' if images else 'images'}: {where}. "
            f"Set data.images={str(not images).lower()} for those."
        )
    if paths:  # listed by hand: each is tried, skipped and named
        return found
    raise DataError(f"{setting} holds no {wanted}: {where}. {_suffixes_read(readers)}")


def _entry(entry: str, setting: str, readers: Readers) -> _Entry:
    path = _absolute(Path(entry))
    if path.is_dir():
        return _Entry(path, _below(path, readers))
    if path.is_file():
        return _file(path, setting)
    if has_magic(entry):
        return _matching(path, setting, readers)
    raise DataError(
        f"{setting} must exist, got {path}. Give a folder of videos or images, a file, a pattern, or a "
        ".txt list."
    )


def _file(path: Path, setting: str) -> _Entry:
    if path.suffix.lower() == ".txt":
        return _listed(path)
    if is_readable(path, READERS) or is_readable(path, IMAGE_READERS):
        return _Entry(path.parent, [path])
    raise DataError(
        f"{setting} must be a folder, a video, an image or a .txt list, got {path}. "
        f"{_suffixes_read({**READERS, **IMAGE_READERS})}"
    )


def _matching(pattern: Path, setting: str, readers: Readers) -> _Entry:
    """What a pattern stands for; a folder that it matches stands for all in it."""
    matches = _matches(pattern)
    if not matches:
        raise DataError(
            f"{setting} must match something, and {pattern} does not. Correct the pattern."
        )
    files = [path for path in matches if path.is_file() and is_readable(path, readers)]
    below = [path for folder in matches if folder.is_dir() for path in _below(folder, readers)]
    return _Entry(_fixed(pattern), files + below)


def _matches(pattern: Path) -> list[Path]:
    """Without what is hidden."""
    folder = _fixed(pattern)
    found = folder.glob(str(pattern.relative_to(folder)))
    return [
        path
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _fixed(pattern: Path) -> Path:
    """The folders before the first wildcard."""
    return Path(*takewhile(lambda part: not has_magic(part), pattern.parts))


def _listed(file: Path) -> _Entry:
    text = file.read_text(encoding="utf-8-sig", errors="surrogateescape")  # as file names are read
    lines = (line.strip() for line in text.split("\n"))
    paths = [file.parent / Path(line).expanduser() for line in lines if line]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"every line of {file} must name a file, {readable_name(str(missing[0]))} does not exist. "
            "Correct the line; relative paths start at the list's folder."
        )
    paths = [_absolute(path) for path in paths]
    return _Entry(_common(path.parent for path in paths) if paths else file.parent, paths)


def _below(root: Path, readers: Readers) -> list[Path]:
    found = (folder / name for folder, names in _folders(root) for name in names)
    return [path for path in found if is_readable(path, readers) and path.is_file()]


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


def _named(entries: Sequence[_Entry]) -> list[File]:
    """Each file once, sorted by name."""
    root = _common(entry.root for entry in entries)
    paths = {path for entry in entries for path in entry.paths}
    return sorted(File(readable_name(path.relative_to(root).as_posix()), path) for path in paths)


def _by_folder(files: Sequence[File], split: str, source: Paths) -> _Labelled:
    labelled: _Labelled = [(file, _folder_split(file.name)) for file in files]
    if not {label for _, label in labelled} >= {"train", "valid"}:
        labelled = [(file, None) for file in files]
    of_folders: _Labelled = [(file, label) for file, label in labelled if label]
    if split == "folders" and not of_folders:
        raise DataError(
            "data.split 'folders' needs videos or images in a folder train and in one of valid, vaild, "
            f"val, got none such below {_shown(source)}. Make the folders or set data.split to auto."
        )
    return of_folders if of_folders and split in ("auto", "folders") else labelled


def _folder_split(name: str) -> Split | None:
    folder, slash, _ = name.partition("/")
    return SPLIT_FOLDERS.get(folder) if slash else None


def _by_setting(
    files: Sequence[File], train: Sequence[_Entry], valid: Sequence[_Entry]
) -> _Labelled:
    trains, validates = ({path for e in entries for path in e.paths} for entries in (train, valid))
    for file in files:
        if file.path in trains & validates:
            raise DataError(
                f"a file trains or validates, {file.path} is in data.source and in "
                "data.validation_source. Take it out of one, or leave data.validation_source out."
            )
    return [(file, "valid" if file.path in validates else "train") for file in files]


def _together(labelled: _Labelled) -> list[Source]:
    """Images in the order of a hash, so that any stretch of a source is a fair sample of it."""
    sources = []
    for split in ("train", "valid", None):
        files = [file for file, label in labelled if label == split]
        files.sort(key=lambda file: sha256(file.name.encode()).digest())
        for start in range(0, len(files), IMAGES_PER_SOURCE):
            part = tuple(files[start : start + IMAGES_PER_SOURCE])
            digest = sha256("\n".join(file.name for file in part).encode()).hexdigest()[:8]
            number = start // IMAGES_PER_SOURCE
            sources.append(Source(f"{split or 'images'}-{number:05d}-{digest}", part, split))
    return sorted(sources, key=lambda source: source.name)


def _common(folders: Iterable[Path]) -> Path:
    return Path(os.path.commonpath(list(folders)))


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))


def _shown(source: Paths) -> str:
    return ", ".join(readable_name(str(_absolute(Path(entry)))) for entry in entries_of(source))


def _suffixes_read(readers: Readers) -> str:
    return f"Put some there; these suffixes are read: {' '.join(sorted(readers))}"
