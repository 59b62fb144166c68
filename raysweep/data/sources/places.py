"""Where footage lies as a person writes it, and how a file of it comes to where OpenCV can read it."""

import posixpath
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from raysweep.data.decoding.decode import DecodeError, readable_name
from raysweep.data.sources.disks import Disk, LocalDisk
from raysweep.data.sources.remote import RemoteDisk, connected, open_remote, reaching
from raysweep.errors import DataError

Paths = str | Path | Sequence[str | Path]
"""A folder (read recursively), a file, a list of paths, a pattern with `*`, or several of these, each a
path or a URI."""
CHUNK_BYTES = 1 << 20


class File(NamedTuple):
    """One video or image."""

    name: str
    """Posix path relative to the root it was found under."""
    path: Path
    """Where it is: absolute, or its place on `remote`."""
    size: int = 0
    """Bytes, when it was found."""
    remote: str | None = None
    """URI of another machine's file system; None: this machine's."""

    @contextmanager
    def local(self) -> Iterator[Path]:
        """A path to read it at; from another machine it is copied here, for as long as that takes.

        Raises DecodeError where it is gone from another machine, DataError where that is out of reach, and
        where this machine does not see the file: what was found must not be skipped because of who reads it.
        """
        if self.remote is None:
            self._require_here()
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="raysweep-", suffix=self.path.suffix) as copy:
            self._copy_to(Path(copy.name), self.remote)
            yield Path(copy.name)

    def _require_here(self) -> None:
        if not self.path.exists():
            raise DataError(
                f"every node must see the footage, and {readable_name(str(self.path))} is not there on "
                f"{gethostname()}. Put it on a file system that all nodes share; start again if it was moved."
            )

    def _copy_to(self, copy: Path, remote: str) -> None:
        with copy.open("wb") as target, reaching(f"{self.name} on {remote}"):
            try:
                stream = open_remote(remote).open_input_stream(str(self.path))
            except FileNotFoundError:
                raise DecodeError("no such file") from None
            with stream:
                shutil.copyfileobj(stream, target, CHUNK_BYTES)


class Place(NamedTuple):
    """What a person's path or URI comes to."""

    path: str
    """Absolute, or on `remote`: `bucket/folder`."""
    remote: str | None
    """The URI without its path: the bucket, and what stands behind a `?`; None: this machine."""

    @property
    def disk(self) -> Disk:
        return LocalDisk() if self.remote is None else RemoteDisk(self.remote)


def is_uri(entry: str) -> bool:
    return "://" in entry


def entries_of(source: Paths) -> list[str]:
    """One by one; paths absolute, `~` being the home folder, URIs as they are written."""
    given = [source] if isinstance(source, str | Path) else source
    return [absolute(str(entry)) for entry in given]


def absolute(entry: str) -> str:
    """The same place from any folder."""
    return entry if is_uri(entry) else place_of(entry, Place(str(Path.cwd()), None)).path


def place_of(written: str, start: Place) -> Place:
    """Where a path or URI leads from a folder."""
    if is_uri(written):
        return _located(written)
    path = posixpath.expanduser(written)
    remote = None if posixpath.isabs(path) else start.remote
    return Place(posixpath.normpath(posixpath.join(start.path, path)), remote)


def shown(source: Paths) -> str:
    """For a message."""
    return ", ".join(map(readable_name, entries_of(source)))


def _located(uri: str) -> Place:
    """The path is taken as it is written, but for file://, where `%20` is a space as in a browser."""
    parts = urlsplit(uri)
    if parts.password is not None:
        raise DataError(
            f"an address is written down with the settings, and the one at {parts.hostname} holds a "
            "password. Put keys into the environment, such as AWS_SECRET_ACCESS_KEY."
        )
    address, question, options = uri.partition("?")
    scheme, _, rest = address.partition("://")
    if scheme == "file":
        return Place(posixpath.normpath(unquote(uri.removeprefix("file://"))), None)
    host, _, path = rest.partition("/")
    remote = f"{scheme}://{host}{question}{options}"
    with reaching(uri):
        _, base = connected(remote)
    return Place(f"{base.rstrip('/')}/{path.strip('/')}".rstrip("/"), remote)
