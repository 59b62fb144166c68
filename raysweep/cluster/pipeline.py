"""Ray Data's part: decoding footage on all nodes, and holding the store in shared memory for all trials."""

import logging
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import ray
import ray.data
from ray.train import DataConfig as TrainDataConfig

from raysweep.cluster.parcels import parcels
from raysweep.data.discover import Source
from raysweep.data.manifest import Manifest, SourceRecord
from raysweep.data.shards import read_shard
from raysweep.data.store import shard_paths

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FRAMES = "frames"
"""Name of the dataset that trials read."""


class Shard(NamedTuple):
    """What one worker needs to read its share: the store's tables in shared memory, and its place."""

    tables: list[Any]
    """References to Arrow tables; reading one copies nothing on the node that holds it."""
    rank: int
    workers: int

    def open(self) -> "list[pa.Table]":
        return list(ray.get(self.tables))


class ShardByRank(TrainDataConfig):
    """Hands every worker the materialised blocks and its rank.

    Which clips it reads at which step is a pure function of seed, step and rank (`data.order`), so one
    materialisation serves every epoch, every trial and any number of workers.
    """

    def configure(
        self, datasets: dict[str, Any], world_size: int, *_: Any, **__: Any
    ) -> list[dict[str, Shard]]:
        return [
            {name: shard_of(dataset, rank, world_size) for name, dataset in datasets.items()}
            for rank in range(world_size)
        ]


def shard_of(dataset: "ray.data.Dataset", rank: int = 0, workers: int = 1) -> Shard:
    return Shard(dataset.to_arrow_refs(), rank, workers)


def materialise(store: Path, manifest: Manifest) -> "ray.data.Dataset":
    """The store's frames in the object store, once per node that reads them."""
    _quiet()
    shards = [{"path": str(path)} for path in shard_paths(store, manifest)]
    rows = ray.data.from_items(shards, override_num_blocks=len(shards))
    return rows.map_batches(_segments, batch_size=1).materialize()


def _segments(shard: "dict[str, np.ndarray[Any, Any]]") -> "pa.Table":
    return read_shard(Path(shard["path"][0]))


def on_all_nodes(
    work: Callable[[Source], SourceRecord], sources: Iterable[Source]
) -> Iterator[SourceRecord]:
    """`map(work, sources)` as a Ray Data job of one CPU a task: results come as they finish.

    A task whose process dies is run again, as often as that takes: `work` is to end it (making.Diary).
    """
    _quiet()
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting = [{"parcel": pickle.dumps(parcel)} for parcel in parcels(sources, cpus)]
    rows = ray.data.from_items(waiting, override_num_blocks=len(waiting))

    def unpack(row: dict[str, bytes]) -> dict[str, list[str]]:
        cv2.setNumThreads(1)  # the other CPUs have tasks of their own
        parcel: list[Source] = pickle.loads(row["parcel"])
        return {"records": [work(source).model_dump_json() for source in parcel]}

    for row in rows.map(unpack).iter_rows():
        yield from map(SourceRecord.model_validate_json, row["records"])


def _quiet() -> None:
    """Our own lines tell how far things are."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
