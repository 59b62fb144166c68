"""Finding files on this machine's file systems, and what any other must offer (`remote.py` has those)."""

import os
from collections.abc import Callable, Iterator, Sequence
from glob import has_magic
from itertools import takewhile
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple, NoReturn, Protocol

from raysweep.data.decoding.decode import readable_name
from raysweep.data.sources.labels import Split
from raysweep.errors import DataError

Wanted = Callable[[str], bool]
"""Whether a file of this name is looked for."""


class Found(NamedTuple):
    """A file or folder."""

    path: str
    """Absolute, or its place on `remote`."""
    size: int
    """Bytes."""
    is_folder: bool
    remote: str | None = None
    """URI of another machine's file system; None: this machine's."""
    inode: tuple[int, int] | None = None
    """Device and number, which two names of one file have in common; None: not known."""
    split: Split | None = None
    """As a list of files says."""

    @property
    def whole(self) -> str:
        """The path with its file system as the first folder, so that no two files share one."""
        return self.path if self.remote is None else f"/{self.remote.split(':')[0]}:/{self.path}"

    @property
    def shown(self) -> str:
        """For a message."""
        return readable_name(self.path if self.remote is None else self.whole[1:])


class Disk(Protocol):
    """A file system on which footage is found."""

    def look(self, paths: Sequence[str]) -> list[Found | None]:
        """What lies at each of the paths."""
        ...

    def below(self, folder: str, wanted: Wanted) -> Iterator[Found]:
        """Files in a folder and in those below it, hidden ones left out."""
        ...

    def matching(self, pattern: str) -> Iterator[Found]:
        """Files that the pattern matches, and those below folders that it matches; hidden ones left out."""
        ...


class LocalDisk:
    """This machine's file systems."""

    def look(self, paths: Sequence[str]) -> list[Found | None]:
        return [_look(path) for path in paths]

    def below(self, folder: str, wanted: Wanted) -> Iterator[Found]:
        """Links are followed; one that leads nowhere is passed over."""
        for inside, names in _folders(folder):
            for name in names:
                found = _look(f"{inside}/{name}") if wanted(name) else None
                if found and not found.is_folder:
                    yield found

    def matching(self, pattern: str) -> Iterator[Found]:
        for found in filter(None, map(_look, _matches(pattern))):
            yield from self.below(found.path, everything) if found.is_folder else [found]


def everything(name: str) -> bool:
    return True


def fixed_part(pattern: str) -> str:
    """The folders before the first wildcard."""
    return str(Path(*takewhile(lambda part: not has_magic(part), Path(pattern).parts)))


def _look(path: str) -> Found | None:
    try:
        status = os.stat(path)  # noqa: PTH116  (a Path for each of 200,000 files takes seconds)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        _refuse(path, error)
    is_folder = S_ISDIR(status.st_mode)
    if not is_folder and not S_ISREG(status.st_mode):
        return None
    return Found(path, status.st_size, is_folder, inode=(status.st_dev, status.st_ino))


def _folders(root: str) -> Iterator[tuple[str, list[str]]]:
    """Every folder with the names in it, neither hidden; links are followed, each folder is seen once."""
    seen: set[tuple[int, int] | None] = set()
    for folder, subfolders, names in os.walk(root, onerror=_cannot_list, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        found = _look(folder)
        if found is None or found.inode in seen:
            subfolders.clear()
            continue
        seen.add(found.inode)
        yield folder.rstrip("/"), [name for name in names if not name.startswith(".")]


def _matches(pattern: str) -> Iterator[str]:
    """Without what is hidden."""
    folder = fixed_part(pattern)
    try:
        found = list(Path(folder).glob(str(Path(pattern).relative_to(folder))))
    except (OSError, ValueError) as error:  # "**" beside other letters
        _refuse(pattern, error)
    return (path for path in map(str, found) if "/." not in path[len(folder.rstrip("/")) :])


def _cannot_list(error: OSError) -> NoReturn:
    _refuse(str(error.filename), error)


def _refuse(path: str, error: OSError | ValueError) -> NoReturn:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    raise DataError(
        f"footage must lie where it can be read, {readable_name(path)!r} does not: {reason}. Correct it, "
        "or name what lies beside it."
    ) from None
