"""How many trials run at once, as nodes come and go; on clusters that are numbers."""

import pytest

from raysweep.cluster import resources, room
from raysweep.cluster.growth import workers
from raysweep.cluster.leases import Share
from raysweep.cluster.resources import Capacity, capacity_of
from raysweep.cluster.room import AHEAD, SECONDS, Room, at_once
from raysweep.cluster_config import ClusterConfig
from raysweep.errors import ResourceError
from tests.fakes import driver

GPU = ClusterConfig(gpus_per_worker=1)
AWS = {
    "max_workers": 12,
    "head_node_type": "head",
    "available_node_types": {
        "head": {"resources": {"CPU": 4}, "max_workers": 0},
        "cpu": {"resources": {"CPU": 32}, "max_workers": 4},
        "gpu": {"resources": {"CPU": 8, "GPU": 1}, "max_workers": 10},
        "mine": {"resources": {}, "max_workers": 3},
    },
}
HEAD = Capacity(4, 0)


class Cluster:
    """One whose nodes a test sets, and the time."""

    def __init__(self) -> None:
        self.now, self.full, self.seconds = Capacity(2, 0), None, 0.0

    def clock(self) -> float:
        return self.seconds


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    it = Cluster()
    monkeypatch.setattr(resources, "cluster_capacity", lambda: it.now)
    monkeypatch.setattr(room, "full_capacity", lambda: it.full)
    return it


def test_the_number_follows_the_nodes_and_is_told_when_it_changes(nodes):
    told: list[str] = []
    of = Room(ClusterConfig(), tell=told.append, clock=nodes.clock)
    numbers = []
    for cpus in (2, 8, 0, 3, 3):
        nodes.now = Capacity(cpus, 0)
        numbers.append(of.at_once())
        nodes.seconds += SECONDS
    assert numbers == [2, 8, 0, 3, 3]
    assert [line.split(":")[0] for line in told] == [
        "8 at a time", "none at a time", "3 at a time"
    ]  # fmt: skip


def test_the_cluster_is_not_asked_all_the_time(nodes):
    of = Room(ClusterConfig(), clock=nodes.clock)
    assert of.at_once() == 2
    nodes.now, nodes.seconds = Capacity(8, 0), SECONDS / 2
    assert of.at_once() == 2


def test_the_largest_trial_that_is_not_over_decides(nodes, tmp_path):
    of = Room(ClusterConfig(), clock=nodes.clock)
    with driver(tmp_path / "events.jsonl") as mind:
        assert of.is_there(mind)
        mind.start(mind.propose().trial)
        assert of.is_there(mind)
        mind.add({"cluster.workers": 2, "cluster.trainable": "distributed"}, "by hand")
        assert not of.is_there(mind)
        mind.end("0000")
        assert of.is_there(mind)


def test_the_budget_and_the_limits_of_a_sweep_hold_too(nodes):
    nodes.now = Capacity(16, 0)
    assert Room(ClusterConfig(), most=3).at_once() == 3
    assert Room(ClusterConfig(max_cpus=5)).at_once() == 5
    assert Room(ClusterConfig(max_cpus=5), most=9).at_once() == 5


# what a cluster has, what it may grow to; trials of one GPU at once
GROWING = [
    (HEAD, None, 0),
    (HEAD, capacity_of([{"CPU": 4}, *workers(AWS)]), AHEAD),
    (HEAD, capacity_of([{"CPU": 8, "GPU": 1}] * 3), 3),
    (Capacity(100, 20), capacity_of([{"CPU": 8, "GPU": 1}] * 100), 40),
    (Capacity(100, 20), capacity_of([{"CPU": 8, "GPU": 1}] * 5), 20),  # nodes that came by hand
]


@pytest.mark.parametrize(("now", "full", "trials"), GROWING)
def test_a_cluster_that_grows_is_asked_for_more_than_it_has(now, full, trials):
    assert at_once(GPU, now, full) == trials


def test_where_growth_cannot_be_known_it_is_waited_for():
    autoscales = ClusterConfig(gpus_per_worker=1, autoscales=True)
    assert at_once(autoscales, HEAD, None) == AHEAD


def test_nodes_that_may_come_are_as_ray_up_was_told():
    """Ten of GPU and, as there may be twelve in all, two of the others; nothing of a kind that names no resources."""
    assert workers(AWS) == [{"CPU": 8, "GPU": 1}] * 10 + [{"CPU": 32}] * 2


def test_what_may_come_is_not_refused_and_what_never_can_is(nodes):
    nodes.now, of = HEAD, Room(ClusterConfig(), clock=nodes.clock)
    with pytest.raises(ResourceError, match="takes 1 CPU and 1 GPU, and there are 4 CPU, 0 GPU"):
        of.require(GPU)
    of.require(ClusterConfig(gpus_per_worker=1, autoscales=True))
    nodes.full, nodes.seconds = capacity_of([{"CPU": 4}, *workers(AWS)]), SECONDS
    of.require(GPU)
    with pytest.raises(ResourceError, match=r"^with all nodes that the cluster may add, a worker"):
        of.require(ClusterConfig(cpus_per_worker=16, gpus_per_worker=1))


def test_a_trial_whose_nodes_have_left_is_no_wrong_request(nodes):
    nodes.now, of = Capacity(4, 2), Room(GPU, clock=nodes.clock)
    assert of.at_once() == 2
    nodes.now, nodes.seconds = HEAD, SECONDS
    assert of.at_once() == 0
    of.require(GPU)


def test_what_a_trial_takes_is_asked_of_its_own_settings(tmp_path):
    with driver(tmp_path / "events.jsonl") as mind:
        mind.add({"cluster.cpus_per_worker": 3}, "by hand")
        mind.add({"data.batch_size": -1}, "by hand")
        assert [mind.cluster_of(trial).cpus_per_worker for trial in mind.trials] == [3, 1]


class Others:
    """With whom the cluster is shared, and who let nobody start."""

    def __init__(self) -> None:
        self.asked: list[tuple[Share, int, Share]] = []
        self.beats: list[tuple[Share, int, bool]] = []

    def may_start(self, each: Share, held: int, whole: Share) -> bool:
        self.asked.append((each, held, whole))
        return False

    def beat(self, each: Share, held: int, waits: bool) -> None:
        self.beats.append((each, held, waits))

    def leave(self) -> None: ...


def test_other_sweeps_are_asked_where_there_is_room_and_hear_that_one_is_alive(nodes, tmp_path):
    nodes.now, others = Capacity(4, 2), Others()
    of = Room(ClusterConfig(gpus_per_worker=2), others=others, clock=nodes.clock)
    with driver(tmp_path / "events.jsonl") as mind:
        assert not of.is_there(mind)
        assert others.asked == [(Share(1, 2), 0, Share(4, 2))]
        mind.start(mind.propose().trial)
        assert not of.is_there(mind)
        assert len(others.asked) == 1  # there was none anyway
        for _ in range(3):
            of.beat(mind)
            nodes.seconds += SECONDS / 2
        assert others.beats == [(Share(1, 2), 1, True)] * 2
