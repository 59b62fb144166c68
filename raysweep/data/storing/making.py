"""A folder while a prepare makes a store of it: one prepare at a time, and no half file in its place.

The same holds for a tokenize and its codes. `prepare.lock` is locked by the operating system, over NFS too, which lets go of it when the process or its
machine is gone; a file that a kill left there locks nothing. Files are written in a folder of this prepare's
own and moved into place when they are whole. Taking that folder away also stops the tasks that a killed
prepare has left behind on a cluster: they have nowhere to write any more.
"""

import fcntl
import os
import shutil
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from uuid import uuid4

from raysweep.data.decoding.decode import DecodeError
from raysweep.errors import DataError

PARTS = ".parts-"
"""What the name of a folder of unfinished files begins with."""
DEATHS = 3
"""Processes that may die of one file before it counts as bad."""


class Work(NamedTuple):
    """What is done in a folder, in the words of a refusal."""

    name: str
    makes: str
    elsewhere: str
    """How to have it made in another folder."""

    @property
    def lock(self) -> str:
        return f"{self.name}.lock"


PREPARE = Work("prepare", "a store", "set data.store to another folder")
LOCK = PREPARE.lock


@contextmanager
def alone_in(folder: Path, work: Work = PREPARE) -> Iterator[Path]:
    """Holds `folder`, made where it is absent, and yields a folder in it for unfinished files.

    DataError while another process holds it, and where it cannot be made. What a killed one left unfinished goes.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{work.makes} needs a folder that can be made, and {folder} cannot: {error.strerror}. "
            f"Correct it, or {work.elsewhere}."
        ) from None
    lock = _locked(folder / work.lock, work)
    try:
        _remove_parts(folder)
        parts = folder / f"{PARTS}{uuid4().hex[:8]}"
        parts.mkdir()
        yield parts
    finally:
        _remove_parts(folder)
        (folder / work.lock).unlink()
        os.close(lock)


def was_left(folder: Path) -> bool:
    """Whether a prepare works in `folder`, or was killed there."""
    return (folder / LOCK).exists()


class Diary:
    """Which file of a source a process is at, for the next process to read should this one die of it.

    A crash of a decoder, or too little memory, ends a process without a word.
    """

    def __init__(self, file: FileIO, deaths: Mapping[str, int]) -> None:
        self._file = file
        self._deaths = deaths

    def begin(self, file: str) -> None:
        """`file`: its name. DecodeError where it has ended enough processes."""
        word = quote(file)
        if self._deaths.get(word, 0) >= DEATHS:
            raise DecodeError(
                f"the process that decoded it died, {DEATHS} times of {DEATHS}: its decoder crashes, or "
                "takes more memory than there is"
            )
        self._file.write(f"{word} ".encode())


@contextmanager
def diary(path: Path) -> Iterator[Diary]:
    """Goes on in the diary at `path`, a line for each process; it goes when all is well."""
    lines = path.read_text().splitlines() if path.exists() else []
    deaths = Counter(line.split()[-1] for line in lines if line)
    with path.open("ab", buffering=0) as file:
        file.write(b"\n")
        yield Diary(file, deaths)
    path.unlink()


def _locked(path: Path, work: Work) -> int:
    """An open file, which holds the lock until it is closed."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 200, 0).decode(errors="replace")
            os.close(file)
            raise _refusal(path, work, holder, error) from None
        if _is_at(path, file):
            return _signed(file)
        os.close(file)  # whoever held it took the file away in between


def _signed(file: int) -> int:
    """The lock, with who holds it; let go of where there is no room to say so."""
    try:
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
    except OSError:
        os.close(file)
        raise
    return file


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _refusal(path: Path, work: Work, holder: str, error: OSError) -> DataError:
    if isinstance(error, BlockingIOError):
        return DataError(
            f"one {work.name} at a time makes {work.makes}, and {holder or 'another process'} is at work in "
            f"{path.parent}. Wait for it, or {work.elsewhere}."
        )
    return DataError(
        f"{work.makes} is made on a file system with locks, and {path} cannot be locked ({error.strerror}). "
        f"Mount it with locks, or {work.elsewhere}."
    )


def _remove_parts(folder: Path) -> None:
    for parts in folder.glob(f"{PARTS}*"):
        shutil.rmtree(
            parts, ignore_errors=True
        )  # a task left behind may be writing; the end tries again
