"""The frames of an experiment, as every trial and every rank of it gets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import ray

from raysweep.cluster.pipeline import materialise, on_all_nodes
from raysweep.data import DataConfig
from raysweep.data.reading.counting import count
from raysweep.data.reading.direct import DirectReader
from raysweep.data.reading.placing import choose
from raysweep.data.reading.reader import ClipReader, MappedReader, Reader
from raysweep.data.sources.discover import Source
from raysweep.data.storing.manifest import Manifest, read_manifest
from raysweep.data.storing.shards import read_shard
from raysweep.data.storing.store import shard_paths


@dataclass(frozen=True)
class Footage:
    """What there is to read, and how: sent to a process, which opens it there."""

    manifest: Manifest
    opened_by: Callable[[Manifest], Reader]

    def reader(self) -> Reader:
        return self.opened_by(self.manifest)


class Share(NamedTuple):
    """What one worker needs to read its share: the footage, and its place.

    Which clips it reads at which step is a pure function of seed, step and rank (`data/index/order.py`), so one
    copy of the frames serves every epoch, every trial and any number of workers.
    """

    footage: Footage
    rank: int = 0
    workers: int = 1


def in_files(store: Path) -> Footage:
    """Each process maps the store's files, whose memory all processes of a machine share."""
    return Footage(read_manifest(store), partial(MappedReader, store))


def in_shared_memory(store: Path) -> Footage:
    """Ray Data reads the store once; each process views the frames where they lie on its node."""
    manifest = read_manifest(store)
    tables = materialise(store, manifest).to_arrow_refs()
    return Footage(manifest, partial(_shared, tables))


def in_videos(sources: Sequence[Source], where: str, config: DataConfig, shared: Path) -> Footage:
    """No store: each process seeks its clips in the footage, which all nodes count first.

    `shared`: a folder that all nodes see, to put notes in meanwhile.
    """
    with TemporaryDirectory(prefix=".counting-", dir=shared) as scratch:
        manifest, located = count(sources, where, config, Path(scratch), on_all_nodes)
    return Footage(manifest, partial(DirectReader, located))


def placed(store: Path, reading: str, tell: Callable[[str], None]) -> Footage:
    """A store's frames where `reading` (DataConfig.reading) wants them, which `tell` is told in a line.

    DataError where they do not fit there, and on a damaged shard.
    """
    mapped = in_files(store)
    shards = map(read_shard, shard_paths(store, mapped.manifest))
    store_bytes = sum(shard.nbytes for shard in shards)
    choice = choose(reading, store_bytes, _smallest_shared_memory())
    tell(choice.told)
    return in_shared_memory(store) if choice.place == "shared_memory" else mapped


def _shared(tables: list[Any], manifest: Manifest) -> ClipReader:
    """`tables`: references to Arrow tables; reading one copies nothing on the node that holds it."""
    return ClipReader(ray.get(tables), manifest.settings.resolution)


def _smallest_shared_memory() -> float:
    """Bytes of the object store, of the node that has least."""
    return min(
        node["Resources"].get("object_store_memory", 0.0) for node in ray.nodes() if node["Alive"]
    )
