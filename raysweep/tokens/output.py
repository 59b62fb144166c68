"""Where codes go: a folder, or an address of an object store. A file appears there whole or not at all."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pyarrow as pa

from raysweep.data.sources.places import absolute, is_uri, place_of
from raysweep.data.sources.remote import reaching
from raysweep.data.storing.making import Work, alone_in
from raysweep.data.storing.shards import flush, whole_file
from raysweep.errors import DataError
from raysweep.experiment.bucket import HERE, Bucket

TOKENIZE = Work("tokenize", "a folder of codes", "name another --out")


class Unfinished(NamedTuple):
    """Where files are until they are whole."""

    folder: Path | None
    """None: that of temporary files, of whichever node asks."""
    prefix: str = ""

    def file(self, name: str) -> Path:
        return (self.folder or Path(tempfile.gettempdir())) / f"{self.prefix}{name}"


class Output(ABC):
    """Names are relative to it."""

    where: str
    """For a message."""

    @abstractmethod
    def alone(self) -> AbstractContextManager[Unfinished]:
        """For as long as a run writes there."""

    @abstractmethod
    def held(self, folder: str = "") -> list[str]:
        """What a folder holds, by the names in it; hidden files are left out."""

    @abstractmethod
    def opened(self, name: str) -> AbstractContextManager[pa.NativeFile]:
        """A file, to read."""

    @abstractmethod
    def take(self, file: Path, name: str) -> None:
        """Moves an unfinished file there."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """What is there is replaced."""


class Folder(Output):
    """One run at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.where = folder, str(folder)

    @contextmanager
    def alone(self) -> Iterator[Unfinished]:
        with alone_in(self._folder, TOKENIZE) as parts:
            yield Unfinished(parts)

    def held(self, folder: str = "") -> list[str]:
        return sorted(path.name for path in (self._folder / folder).glob("[!.]*"))

    def opened(self, name: str) -> AbstractContextManager[pa.NativeFile]:
        return pa.OSFile(str(self._folder / name))

    def take(self, file: Path, name: str) -> None:
        target = self._folder / name
        target.parent.mkdir(exist_ok=True)
        flush(file)
        file.replace(target)

    def write(self, name: str, content: bytes) -> None:
        with whole_file(self._folder / name) as part:
            part.write_bytes(content)


class Store(Output):
    """It knows no locks: two runs at once do the same work twice, and write the same."""

    def __init__(self, address: str) -> None:
        self._bucket, self.where = Bucket(address), address
        self._patient = Bucket(address, is_patient=True)  # what is coded must not be lost

    @contextmanager
    def alone(self) -> Iterator[Unfinished]:
        yield Unfinished(None, f"raysweep-{uuid4().hex[:8]}-")

    def held(self, folder: str = "") -> list[str]:
        held = self._bucket.held(folder, below=False)
        return sorted(name.removeprefix(f"{folder}/") for name in held)

    @contextmanager
    def opened(self, name: str) -> Iterator[pa.NativeFile]:
        path = f"{self._bucket.path}/{name}"
        with reaching(self.where), self._bucket.file_system.open_input_file(path) as file:
            yield file

    def take(self, file: Path, name: str) -> None:
        self._patient.upload({name: file})
        file.unlink()

    def write(self, name: str, content: bytes) -> None:
        self._patient.write(name, content)


def output(where: str) -> Output:
    """A folder need not exist; DataError for a file, and for what is out of reach."""
    if is_uri(where) and place_of(where, HERE).remote is not None:
        return Store(where)
    folder = Path(place_of(where, HERE).path if is_uri(where) else absolute(where))
    if folder.exists() and not folder.is_dir():
        raise DataError(f"codes are written to a folder, and {folder} is none. Name another --out.")
    return Folder(folder)
