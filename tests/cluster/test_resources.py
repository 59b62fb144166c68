"""How many trials fit at once, by arithmetic alone."""

import pytest

from raysweep.cluster.resources import Capacity, Node, ceiling, concurrency, describe
from raysweep.cluster_config import ClusterConfig
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


def cluster(*nodes: tuple[float, float]) -> Capacity:
    sizes = tuple(Node(*node) for node in nodes)
    return Capacity(sum(n.cpus for n in sizes), sum(n.gpus for n in sizes), nodes=sizes)


# workers, CPUs and GPUs of each, nodes, trials at once
ON_NODES = [
    (1, 3, 0, [(4, 0), (4, 0), (4, 0)], 3),  # and not four, as of 12 CPUs
    (2, 3, 0, [(4, 0), (4, 0), (4, 0)], 1),  # whose workers lie on different nodes
    (1, 1, 1, [(64, 0), (2, 4)], 2),  # the head's CPUs are of no use to a GPU's worker
    (1, 1, 0.5, [(8, 1), (8, 1)], 4),
    (4, 1, 1, [(8, 8), (8, 8)], 4),
]


@pytest.mark.parametrize(("workers", "cpus", "gpus", "nodes", "at_once"), ON_NODES)
def test_a_worker_takes_all_of_one_node(workers, cpus, gpus, nodes, at_once) -> None:
    config = ClusterConfig(workers=workers, cpus_per_worker=cpus, gpus_per_worker=gpus)
    assert concurrency(config, cluster(*nodes)) == at_once


def test_what_no_single_node_holds_is_refused_by_what_is_missing() -> None:
    config = ClusterConfig(cpus_per_worker=6, gpus_per_worker=1)
    message = "6 CPU and 1 GPU of one node, and 1 of them find no place on nodes of 4 CPU, 1 GPU;"
    with pytest.raises(ResourceError, match=message):
        concurrency(config, cluster((4, 1), (4, 1), (16, 0)))


# least and most workers of 2 CPUs, nodes, trials at once
ELASTIC = [
    (1, 4, [(8, 0), (8, 0)], 2),
    (1, 4, [(6, 0)], 1),  # with three
    (2, 4, [(3, 0), (3, 0)], 1),
]


@pytest.mark.parametrize(("least", "most", "nodes", "at_once"), ELASTIC)
def test_a_trial_of_changing_size_has_all_it_may_or_is_alone(least, most, nodes, at_once) -> None:
    config = ClusterConfig(workers=(least, most), cpus_per_worker=2)
    assert concurrency(config, cluster(*nodes)) == at_once
    assert describe(config) == f"{least} to {most} workers x (2 CPU, 0 GPU), distributed"


def test_its_least_workers_must_fit() -> None:
    with pytest.raises(ResourceError, match="takes 4 CPU and 0 GPU, and there are 3 CPU, 0 GPU"):
        concurrency(ClusterConfig(workers=(2, 4), cpus_per_worker=2), Capacity(3, 0))


# what one trial takes, and its limits; trials at once
LIMITED = [
    ({}, None),
    ({"max_cpus": 3}, 3),
    ({"workers": 2, "cpus_per_worker": 2, "max_cpus": 9}, 2),
    ({"max_gpus": 4}, None),  # it takes none
    ({"gpus_per_worker": 0.5, "max_gpus": 4, "max_cpus": 5}, 5),
    ({"workers": 2, "gpus_per_worker": 2, "max_gpus": 8}, 2),
]


@pytest.mark.parametrize(("asked", "most"), LIMITED, ids=str)
def test_a_sweep_takes_no_more_than_it_may(asked, most) -> None:
    assert ceiling(ClusterConfig(**asked)) == most


def test_a_limit_that_no_trial_keeps_is_refused() -> None:
    with pytest.raises(ResourceError, match="max_gpus must hold one trial, which takes 4, got 3"):
        ceiling(ClusterConfig(workers=2, gpus_per_worker=2, max_gpus=3))
