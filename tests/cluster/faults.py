"""What a fault costs a sweep. Its trials are deterministic, so one that was left alone says what should come of it."""

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

import pytest

from raysweep.cli import main
from raysweep.cluster.footage import Footage
from raysweep.cluster.sweep import Trainable
from raysweep.cluster.worker import Job
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import fetch, located
from raysweep.experiment.records import Records, replay
from raysweep.schema import Tree

SETTINGS: Tree = {
    "training.steps": 200,
    "training.validate_every": 50,
    "training.log_every": 1,  # so that training.log tells of every step
    "scheduler.kind": "none",
    "sampler.kind": "random",
    "loss.perceptual_net": "none",
    "tracking.tensorboard": False,
    "budget.trials": 2,
}
TWO_WORKERS: Tree = {
    "cluster.workers": 2,
    "budget.trials": 1,
    "training.steps": 450,  # a controller asks its workers for reports every two seconds
    "training.validate_every": 150,
}
RAYSWEEP = "import sys; from raysweep.cli import main; sys.exit(main())"
"""A driver in a process of its own."""
CLOCK = "CLOCK_IS_AHEAD"
"""Environment variable of a driver: a file; while it is there, the clock is a day ahead."""
RAYSWEEP_WITH_SUCH_A_CLOCK = f"""
import os, sys
from pathlib import Path
from raysweep.cli import main
from tests.cluster.faults import set_clock, with_such_a_clock
from trainables import TRAINABLES
ahead = Path(os.environ["{CLOCK}"])
set_clock(ahead)
TRAINABLES["single"] = with_such_a_clock(TRAINABLES["single"], ahead)
sys.exit(main())
"""
PATIENCE_SECONDS = 600.0
DAY_SECONDS = 86_400


class Prepared(NamedTuple):
    videos: Path
    store: Path


class Sweep:
    """One that is to be disturbed, or its like that is left alone."""

    def __init__(self, storage: str, footage: Prepared, settings: Tree | None = None) -> None:
        self.settings = settings or {}
        self.experiment = located(storage, "sweep")
        self.words = ["sweep", "smoke", "--storage", storage, "--name", "sweep"]
        self.words += ["--data", str(footage.videos), "--set", f"data.store={footage.store}"]
        self.words += assignments({**SETTINGS, **self.settings})

    @property
    def interval(self) -> int:
        """Steps between two checkpoints."""
        steps: int = {**SETTINGS, **self.settings}["training.validate_every"]
        return steps

    @property
    def in_between(self) -> int:
        """A step well after the first checkpoint, and before the second."""
        return self.interval * 8 // 5

    @property
    def log(self) -> Path:
        """Of the first trial."""
        return self.experiment.trial("0000") / "training.log"


class Cost(NamedTuple):
    """Of a fault, beside a sweep of the same settings that was left alone."""

    fault: str
    lost: int
    """Trials that did not come to their end."""
    repeated: int
    """Steps that were trained more than once, of the trial that had most."""
    interval: int
    """Steps between two checkpoints."""
    is_same: bool
    """Whether the leaderboard is the same to the last digit."""


COSTS = pytest.StashKey[list[Cost]]()
FIGURES = pytest.StashKey[list[str]]()
"""What the end of the session shows: of all its faults, and what else was measured."""


def cost(fault: str, sweep: Sweep, undisturbed: Experiment) -> Cost:
    """Both are over."""
    now, wanted = records(sweep.experiment), records(undisturbed)
    lost = [trial for trial in wanted if trial not in now or now[trial].state != "finished"]
    repeated = max(repeated_steps(sweep.experiment, trial) for trial in now)
    is_same = leaderboard(sweep.experiment) == leaderboard(undisturbed)
    return Cost(fault, len(lost), repeated, sweep.interval, is_same)


def records(experiment: Experiment) -> Records:
    return replay(read(experiment.events))


def repeated_steps(experiment: Experiment, trial: str) -> int:
    trained = trained_steps(fetch(experiment, experiment.trial(trial) / "training.log"))
    return len(trained) - len(set(trained))


def trained_steps(log: Path) -> list[int]:
    """In the order in which they were trained, by every process that ever was the trial's first rank."""
    if not log.exists():
        return []
    lines = log.read_text().splitlines()
    return [int(line.split()[3]) for line in lines if "train/steps_per_second" in line]


def leaderboard(experiment: Experiment) -> list[Tree]:
    """All of it but the time that trials took."""
    with experiment.leaderboard.open() as file:
        rows = list(csv.DictReader(file))
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def table(costs: Sequence[Cost]) -> list[str]:
    """As lines of text."""
    head = (
        f"{'fault':<62} {'trials lost':>11}  {'steps repeated, of an interval of':>33}  leaderboard"
    )
    return [head, *map(_line, costs)]


def _line(cost: Cost) -> str:
    board = "the same" if cost.is_same else "ANOTHER"
    repeated = f"{cost.repeated} of {cost.interval}"
    return f"{cost.fault:<62} {cost.lost:>11}  {repeated:>33}  {board}"


def assignments(settings: Tree) -> list[str]:
    return [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]


def run(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def wait_for_step(log: Path, step: int, driver: "Popen[bytes] | None" = None) -> None:
    """Until a trial has trained so far, whose driver may be one that is known."""
    until = time.monotonic() + PATIENCE_SECONDS
    while max(trained_steps(log), default=0) < step:
        assert driver is None or driver.poll() is None, "the driver ended by itself"
        assert time.monotonic() < until, f"no step {step} within {PATIENCE_SECONDS:g} s"
        time.sleep(0.02)


def wait_for_report(experiment: Experiment, driver: "Popen[bytes]") -> None:
    """Until the driver has heard of a checkpoint."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not any(record.step for record in records(experiment).values()):
        assert driver.poll() is None, "the driver ended by itself"
        assert time.monotonic() < until, f"no report within {PATIENCE_SECONDS:g} s"
        time.sleep(0.1)


def set_clock(ahead: Path) -> None:
    """This process takes the time from a clock that is a day ahead while there is a file `ahead`."""
    now = time.time
    time.time = lambda: now() + DAY_SECONDS * ahead.exists()


def with_such_a_clock(trainable: Trainable, ahead: Path) -> Trainable:
    def run(job: Job, footage: Footage) -> None:  # by value to the trial's process
        now = time.time
        time.time = lambda: now() + 86_400 * ahead.exists()
        trainable(job, footage)

    return run
