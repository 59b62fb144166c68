"""What a trial takes, how many fit at once, and the refusal of what can never run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from raysweep.cluster.runtime import DRIVER_RESOURCE
from raysweep.cluster_config import ClusterConfig
from raysweep.errors import ResourceError

DRIVER_SHARE = 0.01
"""Of a custom resource or, where a cluster has none, of a CPU: what the process that drives a trial takes."""


class Node(NamedTuple):
    """What one machine has."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        return f"{self.cpus:g} CPU, {self.gpus:g} GPU"


@dataclass(frozen=True)
class Capacity:
    """CPUs and GPUs of this machine or of a cluster."""

    cpus: float
    gpus: float
    has_driver_resource: bool = True
    nodes: tuple[Node, ...] = ()
    """How they lie together; empty: all on one node."""

    def __str__(self) -> str:
        return str(Node(self.cpus, self.gpus))

    @property
    def by_node(self) -> tuple[Node, ...]:
        return self.nodes or (Node(self.cpus, self.gpus),)


def local_capacity() -> Capacity:
    """Of this machine, without starting anything."""
    import torch

    return Capacity(len(os.sched_getaffinity(0)), torch.cuda.device_count())


def cluster_capacity() -> Capacity:
    """Of the cluster that is connected, as it is now."""
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return capacity_of(alive)


def capacity_of(nodes: list[Mapping[str, Any]]) -> Capacity:
    """Of nodes with these Ray resources."""
    sizes = tuple(Node(node.get("CPU", 0), node.get("GPU", 0)) for node in nodes)
    return Capacity(
        sum(node.cpus for node in sizes),
        sum(node.gpus for node in sizes),
        any(DRIVER_RESOURCE in node for node in nodes),
        sizes,
    )


def fitting(config: ClusterConfig, capacity: Capacity) -> int:
    """Trials of this kind that fit at once, with all their workers; where not even one does, one with fewer."""
    spare = 0.0 if capacity.has_driver_resource else DRIVER_SHARE
    cpus = config.cpus_per_worker + spare / config.least_workers
    workers = sum(_workers(cpus, config.gpus_per_worker, node) for node in capacity.by_node)
    return workers // config.most_workers or int(workers >= config.least_workers)


def cluster_nodes() -> int:
    """Of the cluster that is connected."""
    import ray

    return sum(node["Alive"] for node in ray.nodes())


def concurrency(config: ClusterConfig, capacity: Capacity) -> int:
    """As `fitting`; ResourceError when not even one does."""
    if (trials := fitting(config, capacity)) > 0:
        return trials
    least = config.least_workers
    cpus, gpus = least * config.cpus_per_worker, least * config.gpus_per_worker
    if cpus <= capacity.cpus and gpus <= capacity.gpus:
        raise ResourceError(
            f"a worker takes {config.cpus_per_worker} CPU and {config.gpus_per_worker:g} GPU of one node, and "
            f"{least} of them find no place on nodes of {_listed(capacity.by_node)}. "
            "Lower cluster.workers, cluster.cpus_per_worker or cluster.gpus_per_worker."
        )
    raise ResourceError(
        f"a trial takes {cpus} CPU and {gpus:g} GPU, and there are {capacity} in all. "
        "Lower cluster.workers, cluster.cpus_per_worker or cluster.gpus_per_worker."
    )


def ceiling(config: ClusterConfig) -> int | None:
    """Trials that one sweep may have at once by `cluster.max_cpus` and `cluster.max_gpus`; None: no limit.

    ResourceError where that is none.
    """
    takes = {
        "cpus": (config.most_workers * config.cpus_per_worker, config.max_cpus),
        "gpus": (config.gpus, config.max_gpus),
    }
    limits = [
        _within(name, each, most)
        for name, (each, most) in takes.items()
        if most is not None and each
    ]
    return min(limits, default=None)


def _within(name: str, each: float, most: float) -> int:
    if (trials := _times(each, most)) < 1:
        raise ResourceError(
            f"cluster.max_{name} must hold one trial, which takes {each:g}, got {most:g}. "
            f"Set it to {each:g} or more."
        )
    return trials


def _workers(cpus: float, gpus: float, node: Node) -> int:
    """That fit on a node; the fraction of a GPU that one takes comes from a single GPU."""
    by_cpu = _times(cpus, node.cpus)
    if gpus == 0:
        return by_cpu
    by_gpu = _times(gpus, node.gpus) if gpus >= 1 else _times(gpus, 1) * int(node.gpus)
    return min(by_cpu, by_gpu)


def _times(part: float, whole: float) -> int:
    """How often `part` goes into `whole`: ten times 0.1 into 1, where `1 // 0.1` is 9."""
    return int(whole / part + 1e-9)


def _listed(nodes: tuple[Node, ...]) -> str:
    """Each kind once."""
    return "; ".join(dict.fromkeys(map(str, nodes)))


def describe(config: ClusterConfig) -> str:
    """`2 workers x (1 CPU, 0 GPU), distributed`; `2 to 4 workers x ...`."""
    each = f"({config.cpus_per_worker} CPU, {config.gpus_per_worker:g} GPU)"
    least, most = config.least_workers, config.most_workers
    number = f"{least}" if least == most else f"{least} to {most}"
    plural = "s" if most > 1 else ""
    return f"{number} worker{plural} x {each}, {config.resolved_trainable}"


def trial_request(config: ClusterConfig, capacity: Capacity) -> dict[str, float]:
    """What Tune reserves for the trial's own process."""
    if config.resolved_trainable == "single":
        return {"CPU": config.cpus_per_worker, "GPU": config.gpus_per_worker}
    return (
        {DRIVER_RESOURCE: DRIVER_SHARE} if capacity.has_driver_resource else {"CPU": DRIVER_SHARE}
    )
