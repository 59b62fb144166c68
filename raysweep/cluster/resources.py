"""What a trial takes, how many run at once, and the refusal of what can never run."""

import os
from dataclasses import dataclass

from raysweep.cluster.runtime import DRIVER_RESOURCE
from raysweep.config import ClusterConfig
from raysweep.errors import ResourceError

DRIVER_SHARE = 0.01
"""Of a custom resource or, where a cluster has none, of a CPU: what the process that drives a trial takes."""


@dataclass(frozen=True)
class Capacity:
    """CPUs and GPUs of this machine or of a cluster."""

    cpus: float
    gpus: float
    has_driver_resource: bool = True

    def __str__(self) -> str:
        return f"{self.cpus:g} CPU, {self.gpus:g} GPU"


def local_capacity() -> Capacity:
    """Of this machine, without starting anything."""
    import torch

    return Capacity(len(os.sched_getaffinity(0)), torch.cuda.device_count())


def cluster_capacity() -> Capacity:
    """Of the cluster that is connected."""
    import ray

    total = ray.cluster_resources()
    return Capacity(total.get("CPU", 0), total.get("GPU", 0), DRIVER_RESOURCE in total)


def cluster_nodes() -> int:
    """Of the cluster that is connected."""
    import ray

    return sum(node["Alive"] for node in ray.nodes())


def concurrency(config: ClusterConfig, capacity: Capacity) -> int:
    """Trials of this kind that fit at once; ResourceError when not even one does."""
    cpus, gpus = config.workers * config.cpus_per_worker, config.workers * config.gpus_per_worker
    spare = 0.0 if capacity.has_driver_resource else DRIVER_SHARE
    if cpus + spare > capacity.cpus or gpus > capacity.gpus:
        raise ResourceError(
            f"a trial takes {cpus} CPU and {gpus:g} GPU, and there are {capacity} in all. "
            "Lower cluster.workers, cluster.cpus_per_worker or cluster.gpus_per_worker."
        )
    by_cpu = _times(cpus + spare, capacity.cpus)
    return min(by_cpu, _by_gpu(config, capacity.gpus)) if gpus else by_cpu


def _by_gpu(config: ClusterConfig, gpus: float) -> int:
    """Trials that `gpus` hold; the fraction of a GPU that one takes comes from a single GPU."""
    each = config.workers * config.gpus_per_worker
    return _times(each, gpus) if each >= 1 else _times(each, 1) * int(gpus)


def _times(part: float, whole: float) -> int:
    """How often `part` goes into `whole`: ten times 0.1 into 1, where `1 // 0.1` is 9."""
    return int(whole / part + 1e-9)


def describe(config: ClusterConfig) -> str:
    """`2 workers x (1 CPU, 0 GPU), distributed`."""
    each = f"({config.cpus_per_worker} CPU, {config.gpus_per_worker:g} GPU)"
    plural = "s" if config.workers > 1 else ""
    return f"{config.workers} worker{plural} x {each}, {config.resolved_trainable}"


def trial_request(config: ClusterConfig, capacity: Capacity) -> dict[str, float]:
    """What Tune reserves for the trial's own process."""
    if config.resolved_trainable == "single":
        return {"CPU": config.cpus_per_worker, "GPU": config.gpus_per_worker}
    return (
        {DRIVER_RESOURCE: DRIVER_SHARE} if capacity.has_driver_resource else {"CPU": DRIVER_SHARE}
    )
