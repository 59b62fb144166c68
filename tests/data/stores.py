"""What tests ask of a prepared store, and of what makes one."""

from pathlib import Path

import pyarrow as pa

from raysweep.data.storing.manifest import Manifest
from raysweep.data.storing.shards import read_shard
from raysweep.data.storing.store import shard_paths


def read_shards(folder: Path, manifest: Manifest) -> list[pa.Table]:
    """One table of segments per good source, in the order of the manifest."""
    return [read_shard(path) for path in shard_paths(folder, manifest)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a store."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def must_not_run(function, sources):
    """In place of `map`, where nothing is to be decoded."""
    raise AssertionError("nothing was left to do")
