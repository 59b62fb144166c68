"""What early stopping saved, as `raysweep status` counts it, and in time."""

from dataclasses import replace

import pytest

from raysweep.report.saving import Saving, in_all, savings, told
from tests.report.sweeps import append, compared, swept


def test_it_is_what_the_budget_counts(comparison):
    (contest,) = comparison.contests
    each = savings(comparison, contest)
    assert contest.budget.saved_steps > 0
    assert in_all(list(each.values())).saved == contest.budget.saved_steps
    stopped = {entry.key for entry in comparison.entries if entry.record.state == "stopped"}
    assert {key for key, saving in each.items() if saving.saved} == stopped


def test_time_is_taken_at_the_trial_s_own_speed(tmp_path):
    """It took 40 s for 10 steps, on half a GPU, and 90 were left."""
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    told = [
        {"kind": "opened", "trial": "", "time": 0.0},
        {"kind": "proposed", "time": 0.0, "last_step": 100, "gpus": 0.5, "origin": "space"},
        {"kind": "started", "time": 10.0},
        {"kind": "report", "time": 50.0, "step": 10, "metrics": {"val/psnr": 20.0}},
        {"kind": "ended", "time": 50.0, "state": "stopped", "reason": "below its peers"},
    ]
    experiment.events.unlink()
    append(
        experiment, *({"trial": "0000", "params": {}, "settings": {}, **event} for event in told)
    )
    comparison = compared(experiment)
    (saving,) = savings(comparison, comparison.contests[0]).values()
    assert saving == Saving(10, 90, pytest.approx(0.1), pytest.approx(0.05))
    assert saving.share == 0.9


def test_a_trial_that_trained_nothing_has_no_speed(comparison):
    stopped = next(
        it for it in comparison.entries if comparison.contests[0].saved_steps.get(it.record.trial)
    )
    untrained = replace(stopped, row=replace(stopped.row, steps=0))
    (found,) = savings(replace(comparison, entries=[untrained]), comparison.contests[0]).values()
    assert found.saved > 0
    assert (found.trained, found.hours, found.gpu_hours) == (0, 0.0, 0.0)


def test_steps_that_a_spent_budget_cut_are_not_saved_whatever_it_was_raised_to_since(tmp_path):
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    asked = experiment.sweep_file.read_text().replace("trials: 1", "steps: 10")
    experiment.sweep_file.write_text(asked)
    known = {"trial": "0000", "time": 1.0, "params": {}, "settings": {}, "origin": "space"}
    more = {"budget": {"steps": 1000}, "last_step": None, "trials": []}
    experiment.events.unlink()
    append(
        experiment,
        {**known, "kind": "proposed", "last_step": 100},
        {**known, "kind": "started"},
        {**known, "kind": "report", "step": 10, "metrics": {"val/psnr": 20.0}},
        {**known, "kind": "ended", "state": "stopped", "reason": "budget.steps is spent"},
        {**known, "kind": "extended", "trial": "", **more},
    )
    (contest,) = compared(experiment).contests
    assert contest.budget.saved_steps == 0
    assert contest.saved_steps == {}


SENTENCES = [
    (Saving(50, 0, 0.0, 0.0), "No trial of the search was stopped early, so nothing was saved."),
    (
        Saving(3000, 1000, 2.5, 5.0),
        "Stopping early saved 1,000 of 4,000 steps (25%): about 2.5 hours of trials at their own speed, "
        "and 5 GPU-hours.",
    ),
    (
        Saving(3000, 1000, 2.5, 0.0),
        "Stopping early saved 1,000 of 4,000 steps (25%): about 2.5 hours of trials at their own speed, "
        "and no GPU-hours, as trials took no GPU.",
    ),
]


@pytest.mark.parametrize(("saving", "sentence"), SENTENCES)
def test_told(saving, sentence):
    assert told(saving) == sentence
