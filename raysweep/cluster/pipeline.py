"""Ray Data's part: decoding footage on all nodes, and putting a store into shared memory."""

import logging
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import pyarrow as pa
import ray
import ray.data

from raysweep.cluster.parcels import parcels
from raysweep.data.reading.counting import Counted
from raysweep.data.sources.discover import Source
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.data.storing.shards import read_shard
from raysweep.data.storing.store import shard_paths

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 64_000_000
"""Frames in one object of the shared memory, about."""


def materialise(store: Path, manifest: Manifest) -> "ray.data.Dataset":
    """The store's frames in the object store, once per node that reads them."""
    _quiet()
    paths = shard_paths(store, manifest)
    blocks = max(ray.cluster_resources()["CPU"], sum(p.stat().st_size for p in paths) / BLOCK_BYTES)
    shards = [{"path": str(path)} for path in paths]
    rows = ray.data.from_items(shards, override_num_blocks=min(len(shards), ceil(blocks)))
    return rows.map_batches(_segments, batch_size=None).materialize()


def _segments(shards: "dict[str, np.ndarray[Any, Any]]") -> pa.Table:
    """Small ones in one piece: a piece each would take a reader long to open."""
    table = pa.concat_tables([read_shard(Path(path)) for path in shards["path"]])
    return table.combine_chunks() if table.nbytes <= 2 * BLOCK_BYTES else table


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


def counted_on_all_nodes(
    work: Callable[[Source], Counted], sources: Sequence[Source]
) -> Iterator[Counted]:
    """`map(work, sources)`, the same way: in a few tasks a CPU, since most sources are soon counted."""
    _quiet()
    waiting = [{"source": pickle.dumps(source)} for source in sources]
    tasks = ceil(16 * ray.cluster_resources()["CPU"])
    rows = ray.data.from_items(waiting, override_num_blocks=min(len(waiting), tasks))
    done = rows.map(lambda row: {"counted": pickle.dumps(work(pickle.loads(row["source"])))})
    for row in done.iter_rows():
        yield pickle.loads(row["counted"])


def _quiet() -> None:
    """Our own lines tell how far things are."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
