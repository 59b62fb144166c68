"""How many trials fit at once, by arithmetic alone."""

import pytest

from raysweep.cluster.resources import Capacity, concurrency
from raysweep.config import ClusterConfig
from raysweep.errors import ResourceError

# workers, CPUs and GPUs of each, the cluster's CPUs and GPUs, trials at once
FITTING = [
    (1, 1, 0, 8, 0, 8),
    (2, 3, 0, 8, 0, 1),
    (1, 1, 1, 8, 2, 2),
    (2, 1, 1, 8, 5, 2),
    (1, 1, 0.1, 16, 1, 10),
    (1, 1, 0.3, 16, 1, 3),
    (1, 1, 0.6, 16, 2, 2),  # 0.4 is left of each GPU, which no trial can put together
]


@pytest.mark.parametrize(
    ("workers", "cpus", "gpus", "cluster_cpus", "cluster_gpus", "at_once"), FITTING
)
def test_as_many_run_as_fit(workers, cpus, gpus, cluster_cpus, cluster_gpus, at_once) -> None:
    config = ClusterConfig(workers=workers, cpus_per_worker=cpus, gpus_per_worker=gpus)
    assert concurrency(config, Capacity(cluster_cpus, cluster_gpus)) == at_once


def test_a_driver_without_its_own_resource_takes_a_little_cpu() -> None:
    assert concurrency(ClusterConfig(), Capacity(4, 0, has_driver_resource=False)) == 3


@pytest.mark.parametrize("asked", [{"cpus_per_worker": 3}, {"gpus_per_worker": 0.5}], ids=str)
def test_what_never_fits_is_refused(asked) -> None:
    with pytest.raises(ResourceError, match="there are 2 CPU, 0 GPU in all"):
        concurrency(ClusterConfig(**asked), Capacity(2, 0))
