"""File systems of other machines, through pyarrow: S3, Google Cloud Storage, HDFS, Azure, ..."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
from pyarrow import fs

from raysweep.data.sources.disks import Found, Wanted, everything, fixed_part
from raysweep.errors import DataError

S3_OPTIONS = ("region", "scheme", "endpoint_override", "anonymous")
"""What an S3 address may say behind a `?`."""
CONNECT_SECONDS, ANSWER_SECONDS, ATTEMPTS = 5, 10, 3
"""After which a host counts as out of reach; pyarrow's own patience with S3 is 100 s, with Google's 15 min."""
PATIENT_ATTEMPTS = 15
"""Of who must not fail because a store is away for a while: with the pauses between them, three to six minutes."""


class RemoteDisk:
    """A file system that a URI names."""

    def __init__(self, remote: str) -> None:
        self.remote = remote

    def look(self, paths: Sequence[str]) -> list[Found | None]:
        with reaching(self.remote):
            return [self._found(info) for info in open_remote(self.remote).get_file_info([*paths])]

    def below(self, folder: str, wanted: Wanted) -> Iterator[Found]:
        inside = fs.FileSelector(folder, allow_not_found=True, recursive=True)
        with reaching(self.remote):
            listed = open_remote(self.remote).get_file_info(inside)
        for found in filter(None, map(self._found, listed)):
            hidden = "/." in found.path[len(folder) :]
            if wanted(found.path) and not found.is_folder and not hidden:
                yield found

    def matching(self, pattern: str) -> Iterator[Found]:
        folder = fixed_part(pattern)
        names = _names(pattern[len(folder) :])
        for found in self.below(folder, everything):
            if _fits_to_a_folder(_names(found.path[len(folder) :]), names):
                yield found

    def _found(self, info: fs.FileInfo) -> Found | None:
        if info.type == fs.FileType.NotFound:
            return None
        is_folder = info.type == fs.FileType.Directory
        return Found(info.path, info.size or 0, is_folder, self.remote)


def open_remote(remote: str) -> fs.FileSystem:
    """Connections are kept: the first takes a while."""
    return connected(remote)[0]


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """What pyarrow reports, as a DataError."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{place} must be in reach, and is not: {str(error).splitlines()[0].rstrip('.')}. Correct the "
            "address, or see to the network and the credentials."
        ) from None


@lru_cache(maxsize=16)
def connected(remote: str, attempts: int = ATTEMPTS) -> tuple[fs.FileSystem, str]:
    """The file system, and the path where it begins: a bucket."""
    parts = urlsplit(remote)
    if parts.scheme == "s3":
        return S3(remote, attempts), parts.netloc
    if parts.scheme in ("gs", "gcs") and "retry_limit_seconds" not in parts.query:
        limit = f"retry_limit_seconds={ANSWER_SECONDS * attempts}"
        remote = f"{remote}{'&' if parts.query else '?'}{limit}"
    file_system, base = fs.FileSystem.from_uri(remote)
    return file_system, base


class S3(fs.S3FileSystem):  # type: ignore[misc]  # pyarrow is untyped
    """As patient in the process that it is sent to as here; pyarrow's own leaves its retries behind."""

    def __init__(self, remote: str, attempts: int) -> None:
        self._made_of = remote, attempts
        parts = urlsplit(remote)
        super().__init__(
            **_s3_options(parts.netloc, dict(parse_qsl(parts.query))),
            connect_timeout=CONNECT_SECONDS,
            request_timeout=ANSWER_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=attempts),
        )

    def __reduce__(self) -> tuple[type["S3"], tuple[str, int]]:
        return S3, self._made_of


def _s3_options(bucket: str, options: dict[str, str]) -> dict[str, str | bool]:
    unknown = options.keys() - set(S3_OPTIONS)
    if unknown:
        raise DataError(
            f"an S3 address takes the options {', '.join(S3_OPTIONS)}, got {min(unknown)}. Leave it out."
        )
    knows_region = options.keys() & {"region", "endpoint_override"} or "AWS_REGION" in os.environ
    if not knows_region:
        options = {**options, "region": fs.resolve_s3_region(bucket)}
    return {**options, "anonymous": options.get("anonymous", "false") == "true"}


def _names(path: str) -> list[str]:
    return path.strip("/").split("/")


def _fits_to_a_folder(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the pattern matches a file, or a folder that it lies in."""
    return any(_fits(names[:count], pattern) for count in range(1, len(names) + 1))


def _fits(names: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not names
    first, *rest = pattern
    if first == "**":
        return any(_fits(names[start:], rest) for start in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], first) and _fits(names[1:], rest)
