"""What a store is checked for once it is finished, and what does not belong in it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from raysweep.data.storing.manifest import Manifest, SourceRecord, shard_path
from raysweep.data.storing.shards import SUFFIX

_OURS = re.compile(rf"[0-9a-f]{{24}}(\{SUFFIX}|\.json)")
"""A shard or its note."""


class Checked(NamedTuple):
    record: SourceRecord
    is_whole: bool
    """Its shard is as it was written."""


def checked(folder: Path, manifest: Manifest) -> Iterator[Checked]:
    """Every good source, as its shard is read again and its checksum compared."""
    with ThreadPoolExecutor() as threads:
        yield from threads.map(partial(_check, folder), manifest.good)


def remove_orphans(folder: Path, manifest: Manifest) -> None:
    """Shards of sources that the store no longer has, and their notes."""
    kept = {Path(str(record.shard)).stem for record in manifest.good}
    for path in (folder / "frames").iterdir():
        if _OURS.fullmatch(path.name) and path.stem not in kept:
            path.unlink()


def _check(folder: Path, record: SourceRecord) -> Checked:
    shard = shard_path(folder, record)
    if not shard.is_file():
        return Checked(record, is_whole=False)
    with shard.open("rb") as file:
        return Checked(record, file_digest(file, "sha256").hexdigest() == record.sha256)
