"""Trials that are stopped early leave nothing behind: no placement group, no actor, no process, no memory of the head."""

import time
from pathlib import Path
from typing import NamedTuple

import pytest
import ray
from ray.util import placement_group_table
from ray.util.state import list_actors

from raysweep.cluster.footage import in_files
from raysweep.cluster.room import Room
from raysweep.cluster.sweep import execute
from raysweep.data.storing.store import prepare
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog
from raysweep.experiment.layout import Experiment
from raysweep.search.objective import Score
from raysweep.search.schedulers import Advice
from raysweep.search.schedulers.base import Patient
from search_spaces import smoke
from tests.cluster.faults import FIGURES
from tests.cluster.processes import megabytes, of_ray, title, workers
from tests.fakes import PSNR, small_sweep
from trainables import TRAINABLES

pytestmark = [
    *(pytest.mark.ray, pytest.mark.faults, pytest.mark.slow),
    pytest.mark.timeout(3600),  # 54 trials, a few at a time
]

SETTLED_SECONDS = 120.0
"""Ray takes away what is not needed any more within some seconds."""
MOST_MEGABYTES_A_STOP = 0.5
"""That the head may grow by: Ray remembers tasks and actors that are over, up to 100,000 of each."""


class StopsEarly(Patient):
    """Stops all but the first trials at their first report."""

    def __init__(self, to_their_end: int) -> None:
        self.to_their_end = to_their_end

    def build(self, validate_every: int, last_step: int) -> "StopsEarly":
        return StopsEarly(self.to_their_end)

    def report(self, trial: str, step: int, score: Score) -> Advice:
        return Advice.GO_ON if int(trial) < self.to_their_end else Advice.STOP


class Left(NamedTuple):
    """What there is on the cluster beside its own processes."""

    placement_groups: int
    actors: int
    working: int
    """Worker processes that run a task, or are an actor."""
    idle: int
    """Worker processes that Ray keeps for the next task: as many as there are CPUs, and more for a second."""


def left(dashboard: str) -> Left:
    groups = [it for it in placement_group_table().values() if it["state"] != "REMOVED"]
    actors = [it for it in list_actors(dashboard, limit=10_000) if it.state != "DEAD"]
    titles = list(map(title, workers()))
    idle = sum(it.startswith("ray::IDLE") for it in titles)
    return Left(len(groups), len(actors), len(titles) - idle, idle)


def head_megabytes() -> dict[str, float]:
    """Resident memory of what lives as long as the cluster."""
    parts = {
        "gcs": "gcs/gcs_server",
        "dashboard": "dashboard/dashboard.py",
        "raylet": "raylet/raylet",
    }
    return {name: sum(map(megabytes, of_ray(part))) for name, part in parts.items()}


def run(experiment: Experiment, videos: Path, store: Path, trainable: str, stops: int) -> None:
    base = {
        "data": {"source": str(videos)},
        "training": {"steps": 10, "validate_every": 5},
        "loss": {"perceptual_net": "none"},
        "tracking": {"tensorboard": False},
        "cluster": {"trainable": trainable},
    }
    sweep = small_sweep(base=base, budget={"trials": stops + 2}, sampler={"kind": "random"})
    sweep = sweep.model_copy(update={"scheduler": StopsEarly(2)})
    with EventLog(experiment.events) as log:
        mind = Conductor(sweep, smoke.space, PSNR, log)
        execute(mind, experiment, in_files(store), TRAINABLES, room=Room(sweep.run().cluster, 2))
    states = [record.state for record in mind.trials.values()]
    assert states == ["finished"] * 2 + ["stopped"] * stops


@pytest.mark.parametrize(("trainable", "stops"), [("single", 50), ("distributed", 10)])
def test_early_stops_leave_nothing_behind(
    cluster: str,
    dashboard: str,
    videos: Path,
    tmp_path: Path,
    trainable: str,
    stops: int,
    request: pytest.FixtureRequest,
) -> None:
    """Beside what the first trials of a cluster leave, which is there once."""
    store = tmp_path / "store"
    prepare(str(videos), store, small_sweep().run().data)
    run(Experiment(tmp_path / "first"), videos, store, trainable, 2)
    time.sleep(10)
    before, held = left(dashboard), head_megabytes()
    run(Experiment(tmp_path / "many"), videos, store, trainable, stops)
    until = time.monotonic() + SETTLED_SECONDS
    most_idle = max(before.idle, int(ray.cluster_resources()["CPU"]))
    while (after := left(dashboard))[:3] > before[:3] or after.idle > most_idle:
        assert time.monotonic() < until, f"{before} became {after}"
        time.sleep(1)
    grown = {name: now - held[name] for name, now in head_megabytes().items()}
    told = ", ".join(f"{name} {now:+.1f} MB of {held[name]:.0f}" for name, now in grown.items())
    request.config.stash[FIGURES].append(f"{stops} early stops, {trainable}: {after}; {told}")
    assert sum(grown.values()) <= MOST_MEGABYTES_A_STOP * stops
