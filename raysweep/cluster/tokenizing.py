"""Coding footage on all nodes: each worker of a pool holds the model, and codes one shard after another."""

import pickle
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import ray
import ray.data

from raysweep.cluster import pipeline
from raysweep.cluster.resources import Capacity, cluster_capacity, fitting
from raysweep.cluster.threads import limit_threads
from raysweep.cluster_config import ClusterConfig
from raysweep.data.storing.manifest import SourceRecord
from raysweep.errors import ResourceError
from raysweep.tokens.coding import Packed, unpacked
from raysweep.tokens.making import Begin
from raysweep.tokens.shards import Shard

SHARE = 0.25
"""Of a GPU, where nothing else is said: one worker decodes too slowly to keep it busy."""


class Workers(NamedTuple):
    """Each takes a CPU."""

    number: int
    """At most."""
    gpus: float
    """That each takes."""


def workers(gpus: float | None) -> Workers:
    """As many as the cluster holds now; `gpus` None: SHARE where there are any."""
    return workers_of(cluster_capacity(), gpus)


def workers_of(capacity: Capacity, gpus: float | None) -> Workers:
    """ResourceError where not one finds a place."""
    each = gpus if gpus is not None else SHARE if capacity.gpus else 0.0
    number = fitting(ClusterConfig(gpus_per_worker=each), capacity)
    if not number:
        raise ResourceError(
            f"a worker takes 1 CPU and {each:g} GPU of one node, and of {capacity} in all none has that. "
            "Lower --gpus."
        )
    return Workers(number, each)


def on_all_nodes(
    begin: Begin, shards: Sequence[Shard], model: Packed, workers: Workers
) -> Iterator[Sequence[SourceRecord]]:
    """As a Ray Data job; results come as they finish.

    A worker that dies is started again, as often as that takes: making.Diary ends it. A RaysweepError in one is
    raised here.
    """
    pipeline.quiet()
    waiting = [{"parcel": pickle.dumps([shard])} for shard in shards]
    rows = ray.data.from_items(waiting, override_num_blocks=len(waiting))
    size = min(workers.number, len(waiting))
    coded = rows.map(
        _Worker,
        fn_constructor_args=(begin, ray.put(model), workers.gpus > 0),
        compute=ray.data.ActorPoolStrategy(
            min_size=1, max_size=size, initial_size=size, max_tasks_in_flight_per_actor=1
        ),
        num_cpus=1,
        num_gpus=workers.gpus,
    )
    yield from pipeline.results(coded)


class _Worker:
    def __init__(self, begin: Begin, model: "ray.ObjectRef[Packed]", on_gpu: bool) -> None:
        limit_threads(1)  # the other CPUs have workers of their own
        self._code = begin(unpacked(ray.get(model), "cuda" if on_gpu else "cpu"))

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        return pipeline.unpacked(self._code, row)
