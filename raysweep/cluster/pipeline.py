"""Ray Data's part: decoding footage on all nodes, and putting a store into shared memory."""

import logging
import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import ray
import ray.data

from raysweep.cluster.parcels import parcels
from raysweep.data.decoding.decode import single_threaded
from raysweep.data.sources.discover import Source
from raysweep.data.storing.manifest import Manifest
from raysweep.data.storing.shards import read_shard
from raysweep.data.storing.store import shard_paths
from raysweep.errors import RaysweepError

if TYPE_CHECKING:
    import numpy as np

Done = TypeVar("Done")
BLOCK_BYTES = 64_000_000
"""Frames in one object of the shared memory, about."""


def materialise(store: Path, manifest: Manifest) -> "ray.data.Dataset":
    """The store's frames in the object store, once per node that reads them."""
    quiet()
    paths = shard_paths(store, manifest)
    blocks = max(
        ray.cluster_resources().get("CPU", 1), sum(p.stat().st_size for p in paths) / BLOCK_BYTES
    )
    shards = [{"path": str(path)} for path in paths]
    rows = ray.data.from_items(shards, override_num_blocks=min(len(shards), ceil(blocks)))
    return rows.map_batches(_segments, batch_size=None).materialize()


def _segments(shards: "dict[str, np.ndarray[Any, Any]]") -> pa.Table:
    """Small ones in one piece: a piece each would take a reader long to open."""
    table = pa.concat_tables([read_shard(Path(path)) for path in shards["path"]])
    return table.combine_chunks() if table.nbytes <= 2 * BLOCK_BYTES else table


def on_all_nodes(work: Callable[[Source], Done], sources: Iterable[Source]) -> Iterator[Done]:
    """`map(work, sources)` as a Ray Data job of one CPU a task: results come as they finish.

    A task whose process dies is run again, as often as that takes: `work` is to end it (making.Diary). A
    RaysweepError in a task is raised here.
    """
    quiet()
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting = [{"parcel": pickle.dumps(parcel)} for parcel in parcels(sources, cpus)]
    for _ in range(min(cpus, len(waiting))):
        _opened.remote(partial(unpacked, work))
    rows = ray.data.from_items(waiting, override_num_blocks=len(waiting))
    yield from results(rows.map(partial(unpacked, work)))


def results(done: "ray.data.Dataset") -> Iterator[Any]:
    """What `unpacked` made of each parcel, as it comes."""
    for row in done.iter_rows():
        if row["refusal"]:
            raise pickle.loads(row["refusal"])
        yield from pickle.loads(row["done"])


@ray.remote  # type: ignore[untyped-decorator]
def _opened(work: Callable[..., Any]) -> None:
    """Starts a process, and imports what the work needs, while Ray Data still plans: seconds of each prepare."""


def unpacked(work: Callable[[Any], Any], row: dict[str, bytes]) -> dict[str, bytes]:
    """What is done of a parcel. A refusal travels as a value: Ray would wrap the error, and print it."""
    single_threaded()  # the other CPUs have tasks of their own
    try:
        done = [work(source) for source in pickle.loads(row["parcel"])]
    except RaysweepError as error:
        return {"done": b"", "refusal": pickle.dumps(error)}
    return {"done": pickle.dumps(done), "refusal": b""}


def quiet() -> None:
    """Our own lines tell how far things are."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
