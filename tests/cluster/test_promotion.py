"""Trials that pause and go on, through Tune: as new trials of its, under our ids, one process at a time."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from ray import tune

from raysweep.cluster.alone import alone
from raysweep.cluster.footage import in_files
from raysweep.cluster.room import Room
from raysweep.cluster.sweep import Trainable, execute
from raysweep.commands.footage import default_store
from raysweep.config import SweepConfig
from raysweep.data.storing.store import prepare
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from raysweep.search.objective import Score
from raysweep.search.schedulers import Advice
from raysweep.search.schedulers.base import Patient
from search_spaces import smoke
from tests.fakes import PSNR, STEPS, small_sweep
from trainables import TRAINABLES

pytestmark = pytest.mark.ray


class PauseOnce(Patient):
    """Pauses every trial at its first report, and lets it go on at once."""

    def __init__(self) -> None:
        self.reported: set[str] = set()
        self.paused: list[str] = []

    def build(self, validate_every: int, last_step: int) -> "PauseOnce":
        return PauseOnce()

    def report(self, trial: str, step: int, score: Score) -> Advice:
        if trial in self.reported:
            return Advice.GO_ON
        self.reported.add(trial)
        self.paused.append(trial)
        return Advice.PAUSE

    def promotable(self, is_searching: bool) -> str | None:
        return next(iter(self.paused), None)

    def promoted(self, trial: str) -> None:
        self.paused.remove(trial)


class Hesitant(Conductor):
    """Has nothing to propose every other time, also while nothing runs."""

    asked = 0

    def propose(self) -> Proposal | None:
        self.asked += 1
        return super().propose() if self.asked % 2 else None


def pausing(**settings: object) -> SweepConfig:
    return small_sweep(**settings).model_copy(update={"scheduler": PauseOnce()})


def fast_trial() -> Trainable:
    """Trains nothing, resumes from its last step, and takes a while to put its things away."""

    def run(job, footage) -> None:  # by value to the trial's process, which has no tests to import
        done = job.folder / "done"
        with alone(job.folder):
            begin_alone(job.folder / "works")
            steps = [int(step) for step in done.read_text().split()] if done.exists() else []
            try:
                for step in [*steps[-1:], *STEPS[len(steps) :]]:
                    if step not in steps:
                        time.sleep(0.2)
                        with done.open("a") as file:
                            file.write(f"{step}\n")
                    tune.report({"step": step, "val/psnr": float(step)})
            finally:
                time.sleep(1)
                (job.folder / "works").unlink()

    def begin_alone(works: Path) -> None:
        assert not (works.exists() and is_alive(int(works.read_text()))), "two at once"
        works.write_text(str(os.getpid()))

    def is_alive(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True

    return run


def kinds(experiment: Experiment, trial: str) -> list[str]:
    return [event["kind"] for event in read(experiment.events) if event["trial"] == trial]


GOES_ON = ["proposed", "started", "report", "paused", "promoted", "started"]


def test_a_paused_trial_goes_on_from_where_it_was(cluster, tmp_path) -> None:
    experiment = Experiment(tmp_path / "small")
    with EventLog(experiment.events) as log:
        mind = Hesitant(pausing(budget={"trials": 3}), smoke.space, PSNR, log)
        execute(
            mind,
            experiment,
            None,
            {"single": fast_trial()},
            room=Room(mind.known.sweep.run().cluster, 2),
        )
    assert {record.state for record in mind.trials.values()} == {"finished"}
    for trial in ("0000", "0001", "0002"):
        assert kinds(experiment, trial) == [*GOES_ON, "report", "report", "report", "ended"]
        assert (experiment.trial(trial) / "done").read_text().split() == [str(s) for s in STEPS]
    assert mind.asked > len(mind.trials) * 2


def test_a_run_of_workers_goes_on_from_its_checkpoint(cluster, videos, tmp_path) -> None:
    experiment = Experiment(tmp_path / "runs" / "small")
    base = {
        "data": {"source": str(videos)},
        "training": {"steps": 15},
        "cluster": {"trainable": "distributed"},
    }
    sweep = pausing(base=base, budget={"trials": 1})
    data = sweep.run().data
    store = default_store(data, tmp_path)
    prepare(videos, store, data)
    with EventLog(experiment.events) as log:
        mind = Conductor(sweep, smoke.space, PSNR, log)
        execute(
            mind,
            experiment,
            in_files(store),
            TRAINABLES,
            room=Room(mind.known.sweep.run().cluster, 2),
        )
    assert mind.trials["0000"].state == "finished"
    assert kinds(experiment, "0000")[: len(GOES_ON)] == GOES_ON
    assert list(mind.trials["0000"].reports)[-1] == 15
    log = (experiment.trial("0000") / "training.log").read_text()
    assert (log.count("  started"), log.count("  resumed from step")) == (1, 1)


COMMAND = """
# `raysweep` with trials that train nothing
import sys
from raysweep.cli import main
from tests.cluster.test_promotion import fast_trial
from trainables import TRAINABLES
TRAINABLES["single"] = fast_trial()
sys.exit(main())
"""


def test_a_command_that_is_killed_twice_loses_nothing(begin, videos, tmp_path) -> None:
    experiment = Experiment(tmp_path / "smoke")
    words = ["sweep", "smoke", "--data", videos, "--storage", tmp_path, "--trials", 4]
    for _ in range(2):
        driver, before = begin(COMMAND, *words), reports(experiment)
        while reports(experiment) < before + 2:
            assert driver.poll() is None, "the driver ended by itself"
            time.sleep(0.05)
        driver.kill()
        driver.wait()
        words = ["resume", experiment.folder]
    assert begin(COMMAND, *words).wait() == 0
    events = list(read(experiment.events))
    heard = Counter((event["trial"], event.get("step"), event["kind"]) for event in events)
    once = ("proposed", "report", "ended")
    assert {count for (_, _, kind), count in heard.items() if kind in once} == {1}
    trials = replay(events)
    assert list(trials) == ["0000", "0001", "0002", "0003"]
    assert {record.state for record in trials.values()} <= {"finished", "stopped"}
    for trial in trials:
        assert kinds(experiment, trial)[-1] == "ended"


def reports(experiment: Experiment) -> int:
    return sum(event["kind"] == "report" for event in read(experiment.events))
