"""Objects below an address of an object store, by name; each appears whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
from pyarrow import fs

from raysweep.data.sources.places import Place, place_of
from raysweep.data.sources.remote import ATTEMPTS, PATIENT_ATTEMPTS, connected
from raysweep.data.storing.shards import whole_file
from raysweep.errors import StorageError
from raysweep.full_disk import is_full, told_when_full

AT_ONCE = 8
"""Objects on their way at the same time."""
CHUNK_BYTES = 1 << 24
HERE = Place("/", None)


class Held(NamedTuple):
    size: int
    """Bytes."""
    written: datetime
    """By the clock of the store."""


class Bucket:
    """Names are relative to `address`, such as `s3://bucket/folder?region=eu-central-1`.

    Raises StorageError where the store is out of reach: soon, or if `is_patient` after some minutes.
    """

    def __init__(self, address: str, *, is_patient: bool = False) -> None:
        place = place_of(address, HERE)
        assert place.remote is not None
        self.address, self.path = address, place.path
        attempts = PATIENT_ATTEMPTS if is_patient else ATTEMPTS
        self.file_system: fs.FileSystem = connected(place.remote, attempts)[0]

    def below(self, folder: str) -> "Bucket":
        """As patient as this one."""
        below = copy(self)
        below.path = f"{self.path}/{folder}"
        return below

    def held(self, folder: str = "", *, below: bool = True) -> dict[str, Held]:
        """Objects in a folder by their whole names and, with `below`, in the folders in it."""
        where = f"{self.path}/{folder}".rstrip("/")
        inside = fs.FileSelector(where, allow_not_found=True, recursive=below)
        with self._reached():
            listed = self.file_system.get_file_info(inside)
        files = [found for found in listed if found.type == fs.FileType.File]
        return {
            found.path.removeprefix(f"{self.path}/"): Held(found.size, found.mtime)
            for found in files
        }

    def read(self, name: str) -> bytes:
        with self._reached(), self.file_system.open_input_stream(self._at(name)) as stream:
            return stream.read()

    def write(self, name: str, content: bytes) -> None:
        with self._reached(), self.file_system.open_output_stream(self._at(name)) as stream:
            stream.write(content)

    def upload(self, files: Mapping[str, Path]) -> None:
        """Files by the names they get."""
        _together(self._upload, files.items())

    def download(self, files: Mapping[str, Path]) -> None:
        """Objects by their names, to where they are to lie; folders are made."""
        _together(self._download, files.items())

    def delete(self, names: Iterable[str]) -> None:
        """Those that are there."""
        _together(self._delete, names)

    def _upload(self, named: tuple[str, Path]) -> None:
        name, file = named
        self._copy((fs.LocalFileSystem(), str(file)), (self.file_system, self._at(name)))

    def _download(self, named: tuple[str, Path]) -> None:
        name, file = named
        with told_when_full(file), whole_file(file) as part:
            self._copy((self.file_system, self._at(name)), (fs.LocalFileSystem(), str(part)))

    def _copy(self, source: tuple[fs.FileSystem, str], target: tuple[fs.FileSystem, str]) -> None:
        systems = {"source_filesystem": source[0], "destination_filesystem": target[0]}
        with self._reached():  # Arrow's own threads have hung in uploads (apache/arrow issue 32372)
            fs.copy_files(
                source[1], target[1], **systems, chunk_size=CHUNK_BYTES, use_threads=False
            )

    def _delete(self, name: str) -> None:
        with self._reached(), suppress(FileNotFoundError):
            self.file_system.delete_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.path}/{name}"

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            if is_full(error):
                raise
            reason = str(error).splitlines()[0].rstrip(".")
            raise StorageError(
                f"{self.address} must be in reach, and is not: {reason}. See to the network, the bucket and the "
                "credentials, then start again; `raysweep resume` goes on with what had begun."
            ) from None


Item = TypeVar("Item")


def _together(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(work, items):
            pass
