"""What a search has spent and when that is enough, as tables: no trial, no log, no clock but the one it is told."""

import pytest

from raysweep.schema import parse
from raysweep.search.budget import Budget, BudgetConfig
from raysweep.search.objective import Score


def budget(**limits) -> Budget:
    return Budget(parse(BudgetConfig, {"trials": None, **limits}))


def run(
    spent: Budget, trial: str, *scores: float, state: str = "finished", gpus: float = 0
) -> None:
    """A trial of 20 steps that reports every five."""
    spent.proposed(trial, gpus)
    spent.started(trial)
    for number, score in enumerate(scores, start=1):
        spent.report(trial, 5 * number, Score((score,)))
    spent.ended(trial, state, 20)  # type: ignore[arg-type]


def test_without_limits_nothing_is_ever_enough():
    spent = budget()
    for number in range(100):
        run(spent, str(number), 1.0, state="failed")
    assert (spent.limits, spent.over, spent.cut) == ([], None, None)


# limits, then the states and scores of trials in order -> how far the limit is reached
REACHED = [
    ({"trials": 3}, [("finished", 1)] * 2, "2 of 3 trials"),
    ({"steps": 1000}, [("finished", 1, 2), ("stopped", 1)], "15 of 1,000 steps"),
    ({"patience": 4}, [("finished", 1)], "0 of 4 trials without a better score"),
    ({"patience": 4}, [("finished", 1), ("stopped", 1)], "1 of 4 trials without a better score"),
    ({"patience": 4}, [("finished", 2), ("stopped", 1), ("finished", 1, 3)], "0 of 4"),
    ({"patience": 4}, [("finished", 2), ("failed",), ("diverged", 1)], "0 of 4"),
    ({"max_failures": 3}, [("failed",), ("diverged", 1)], "2 of 3 failures in a row"),
    ({"max_failures": 3}, [("failed",), ("finished", 1), ("failed",)], "1 of 3 failures in a row"),
]


@pytest.mark.parametrize(("limits", "trials", "expected"), REACHED)
def test_how_far_a_limit_is_reached(limits, trials, expected):
    spent = budget(**limits)
    for number, (state, *scores) in enumerate(trials):
        run(spent, str(number), *scores, state=state)
    (limit,) = spent.limits
    assert str(limit).startswith(expected)
    assert spent.over is None


@pytest.mark.parametrize("setting", ["trials", "steps", "patience", "max_failures"])
def test_at_its_limit_a_search_is_over_and_steps_alone_cut_trials_short(setting):
    spent = budget(**{setting: 2})
    states = ["failed"] * 2 if setting == "max_failures" else ["finished"] * 3
    for number, state in enumerate(states):
        run(spent, str(number), 1.0, state=state)
    assert spent.over is not None
    assert spent.over.setting == setting
    assert (spent.cut is not None) is (setting == "steps")


@pytest.mark.parametrize("setting", ["patience", "max_failures"])
def test_what_came_in_a_row_is_not_undone_by_a_trial_that_still_ran(setting):
    spent = budget(**{setting: 2})
    spent.proposed("late", 0)
    state = "failed" if setting == "max_failures" else "finished"
    for number in range(3):
        run(spent, str(number), 1.0, state=state)
    assert spent.over is not None
    spent.report("late", 20, Score((9.0,)))
    spent.ended("late", "finished", 20)
    assert spent.over is not None


def test_hours_are_those_of_drivers_and_gpu_hours_those_of_running_trials():
    spent = budget(hours=9, gpu_hours=9)
    hour = 3600.0
    spent.opened(0)
    spent.proposed("a", 2)
    spent.pass_time(1 * hour)
    spent.started("a")
    spent.pass_time(2 * hour)
    spent.opened(102 * hour)  # the driver was killed, and another one came four days later
    spent.pass_time(102.5 * hour)
    spent.started("a")
    spent.pass_time(103 * hour)
    spent.paused("a")
    spent.pass_time(104 * hour)
    assert [str(limit) for limit in spent.limits] == ["4 of 9 h", "3 of 9 GPU h"]


def test_a_step_that_is_told_again_is_counted_once():
    spent = budget(steps=100)
    spent.proposed("a", 0)
    for step in (5, 10, 5, 10, 15):
        spent.report("a", step, None)
    assert spent.steps == 15


def test_of_several_values_any_that_none_is_as_good_as_is_better():
    spent = budget(patience=2)
    values = [(1.0, 5.0), (2.0, 4.0), (1.0, 4.0), (2.0, 4.0)]
    for number, each in enumerate(values):
        spent.report(str(number), 5, Score(each))
        spent.ended(str(number), "finished", 20)
    assert spent.unimproved == 2
    spent.report("4", 5, Score((9.0, 9.0), violation=0.5))
    spent.ended("4", "finished", 20)
    assert spent.unimproved == 3


def test_stopping_saves_the_steps_that_a_trial_had_left_unless_the_budget_cut_it():
    spent = budget(steps=20)
    run(spent, "a", 1.0, state="stopped")
    assert spent.saved_steps == 15
    run(spent, "b", 1.0, 2.0, 3.0, state="stopped")
    assert spent.saved_steps == 15


def test_an_extension_counts_anew_what_comes_in_a_row():
    spent = budget(patience=1, max_failures=1)
    for number in range(2):
        run(spent, str(number), 1.0)
    run(spent, "2", state="failed")
    assert spent.over is not None
    spent.extended(spent.config)
    assert spent.over is None
