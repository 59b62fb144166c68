"""How long a search still takes: trials of 20 steps on a clock that goes on by 10 s with every event."""

from collections.abc import Callable
from itertools import count

import pytest

from raysweep.experiment.account import Account
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.outlook import Speed, seconds_left, speed, trial_seconds_left, trial_speeds
from raysweep.experiment.records import TrialRecord
from search_spaces import smoke
from tests.fakes import PSNR, STEPS, small_sweep

ALONE = {"scheduler": {"kind": "none"}}
NOW = Speed(steps=10, seconds=100.0, until=0.0)
"""A tenth of a step a second."""
Left = Callable[..., float | None]


@pytest.fixture
def left(tmp_path) -> Left:
    """Seconds left of a search whose trials made so many steps each, the last of which still runs."""

    def play(*reached: int, ended: bool = False, **settings) -> float | None:
        sweep, path = small_sweep(**settings), tmp_path / "events.jsonl"
        clock = count(0, 10)
        with EventLog(path, clock=lambda: float(next(clock))) as log:
            mind = Conductor(sweep, smoke.space, PSNR, log)
            for steps in reached:
                proposal = mind.propose()
                assert proposal is not None
                mind.start(proposal.trial)
                for step in (step for step in STEPS if step <= steps):
                    mind.report(proposal.trial, step, {"val/psnr": 1.0})
                if ended or proposal.trial != f"{len(reached) - 1:04d}":
                    mind.end(proposal.trial)
        account = Account(sweep, PSNR, read(path))
        return seconds_left(account.sweep, account.trials, account.budget, NOW)

    return play


def test_the_speed_is_of_the_last_driver_and_counts_no_step_twice() -> None:
    def event(kind: str, time: float, trial: str = "", step: int = 0) -> dict[str, object]:
        return {"kind": kind, "trial": trial, "time": time, "step": step}

    told = [event("opened", 0), event("report", 50, "0000", 10)]
    told += [event("opened", 100), event("report", 120, "0000", 10)]
    told += [event("report", 150, "0000", 15), event("report", 200, "0001", 5)]
    assert speed(told) == Speed(steps=10, seconds=100, until=200)
    assert speed(told).steps_per_second == pytest.approx(0.1)
    assert speed([]).steps_per_second == 0


# Steps that each trial made (the last one runs), settings -> steps that are left, of six trials
LEFT = [
    ((5,), ALONE, 15 + 5 * 20),
    ((20, 5), ALONE, 15 + 4 * 20),
    ((20, 10, 5), ALONE, 10 + 3 * 15),  # 15 steps are typical
    ((20, 5), {**ALONE, "budget": {"steps": 30}}, 5),
    ((20, 5), {**ALONE, "budget": {"trials": None, "steps": 45}}, 20),
    ((20, 5), {**ALONE, "confirm": {"top": 1, "seeds": 2}}, 15 + 4 * 20 + 2 * 20),
    ((20, 5), {}, 15 + 4 * 20),
]


@pytest.mark.parametrize(("reached", "settings", "steps"), LEFT)
def test_what_is_left_goes_at_the_speed_of_before(left, reached, settings, steps) -> None:
    assert left(*reached, **settings) == pytest.approx(steps / NOW.steps_per_second)


def test_hours_end_a_search_whatever_its_trials(left) -> None:
    told = left(5, budget={"hours": 1})
    assert told == pytest.approx(3600 - 20)  # two events after the first


# Why it cannot be known: how long trials of an early stopping scheduler are, or how many there will be
OPEN = [((5,), {}), ((20, 5), {**ALONE, "budget": {"trials": None, "patience": 3}})]


@pytest.mark.parametrize(("reached", "settings"), OPEN)
def test_what_cannot_be_known_is_not_told(left, reached, settings) -> None:
    assert left(*reached, **settings) is None


def test_without_a_step_there_is_no_speed() -> None:
    account = Account(small_sweep(), PSNR)
    assert seconds_left(account.sweep, account.trials, account.budget, Speed(0, 50.0, 0.0)) is None


def test_a_trials_speed_is_that_since_its_last_start_and_counts_no_step_twice():
    told = [("started", 0.0, 0), ("report", 50.0, 5), ("started", 100.0, 0), ("report", 110.0, 5)]
    told += [("report", 140.0, 15), ("report", 160.0, 20)]
    events = [{"kind": kind, "trial": "a", "time": time, "step": step} for kind, time, step in told]
    assert trial_speeds(events[:2]) == {"a": Speed(5, 50.0, 50.0)}
    assert trial_speeds(events[:4]) == {}
    assert trial_speeds(events) == {"a": Speed(15, 60.0, 160.0)}


@pytest.mark.parametrize(
    ("state", "last_step", "left"),
    [("running", 20, 150.0), ("running", 0, None), ("stopped", 20, None)],
)
def test_a_running_trial_takes_as_long_as_its_steps_do(state, last_step, left):
    record = TrialRecord("a", "space", {}, {}, state, reports={5: {}}, last_step=last_step)
    assert trial_seconds_left(record, NOW) == left
