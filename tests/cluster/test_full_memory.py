"""Ray ends a process of a trial where a machine's memory is full, and Tune ends with it: the trials are in line again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.exceptions import OutOfMemoryError

from raysweep.cluster.sweep import runs_through
from raysweep.experiment.conductor import Conductor
from tests.fakes import driver, execute, small_sweep


class FailingTuner:
    """Starts two trials, and ends as Ray's event loop does."""

    def __init__(self, mind: Conductor, cause: Exception) -> None:
        self.mind, self.cause = mind, cause

    def fit(self) -> None:
        for _ in range(2):
            self.mind.start(self.mind.propose().trial)
        raise RuntimeError("unexpected") from self.cause


@pytest.fixture
def mind(tmp_path: Path) -> Iterator[Conductor]:
    sweep = small_sweep(scheduler={"kind": "none"}, budget={"trials": 3})
    with driver(tmp_path / "events.jsonl", sweep) as mind:
        yield mind


def test_the_trials_go_on_with_another_tuner(mind):
    assert not runs_through(FailingTuner(mind, OutOfMemoryError("full")), mind)
    assert [record.losses for record in mind.trials.values()] == [1, 1]
    assert sorted(execute(mind)) == ["0000", "0001", "0002"]
    assert {record.state for record in mind.trials.values()} == {"finished"}


def test_another_failure_is_told(mind):
    with pytest.raises(RuntimeError, match="unexpected"):
        runs_through(FailingTuner(mind, ValueError("no")), mind)
