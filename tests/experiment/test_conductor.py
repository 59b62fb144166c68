"""The conductor under a fake executor: what it proposes and decides."""

import json
import math

import pytest
from optuna.trial import TrialState

from raysweep.config import in_steps
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.search.objective import Goal, Objective
from tests.experiment.played import kinds, states
from tests.fakes import PSNR, STEPS, execute, known, small_sweep

# -- what it proposes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 2, 6, 9])
def test_the_budget_is_spent_and_not_exceeded(conductor, path, at_once):
    started = execute(conductor(path), at_once=at_once)
    assert started == ["0000", "0001", "0002", "0003", "0004", "0005"]


def test_without_a_space_only_added_trials_run(conductor, path):
    mind = conductor(path, space=None)
    assert mind.propose() is None
    mind.add({"training.learning_rate": 0.5}, "by hand")
    assert execute(mind) == ["0000"]


def test_what_settings_leave_to_the_footage_is_resolved_before_a_trial_runs(path):
    sweep = small_sweep(pinned={"training.epochs": 2})
    with EventLog(path) as log:
        mind = Conductor(sweep, None, PSNR, log, resolve=lambda run: in_steps(run, 40))
        mind.add({}, "by hand")
        proposal = mind.propose()
    assert proposal is not None
    training = proposal.config.training
    assert (training.steps, training.epochs) == (20, None)


def test_an_added_trial_is_outside_budget_search_and_rungs(conductor, path):
    mind = conductor(path)
    execute(mind)
    before = known(mind)[1:]
    # worse than all, and yet it runs to its end
    trial = mind.add({"loss.disc_weight": 1e-6}, "from 0000")
    assert execute(mind) == [trial] == ["0006"]
    assert states(mind)[trial] == "finished"
    assert sorted(mind.trials[trial].reports) == list(STEPS)
    assert known(mind)[1:] == before


def test_an_added_trial_in_the_middle_leaves_the_budget_whole(conductor, path):
    mind = conductor(path)
    first = mind.propose()
    mind.add({}, "by hand")
    assert first.trial == "0000"
    assert execute(mind) == ["0001", "0002", "0003", "0004", "0005", "0006"]


def test_an_added_trial_overrules_what_was_pinned(conductor, path):
    mind = conductor(path, small_sweep(pinned={"training.learning_rate": 0.25}))
    mind.add({"training.learning_rate": 0.5}, "by hand")
    rates = [mind.propose().config.training.learning_rate for _ in range(2)]
    assert rates == [0.5, 0.25]


def test_a_run_that_suggestions_make_impossible_fails_alone(conductor, path):
    def space(trial):
        trial.suggest_categorical("data.batch_size", [4, 5])
        trial.suggest_float("training.learning_rate", 0.01, 0.1)
        return {"cluster.workers": 2}

    mind = conductor(path, small_sweep(budget={"trials": 8}), space)
    execute(mind, lambda proposal, step: {"val/psnr": 1.0})
    bad = [record for record in mind.trials.values() if record.params["data.batch_size"] == 5]
    assert len(mind.trials) == 8
    assert 0 < len(bad) < 8
    assert {record.state for record in bad} == {"failed"}
    assert "must divide by cluster.workers" in bad[0].reason
    mind.log.close()
    assert known(conductor(path, small_sweep(budget={"trials": 8}), space)) == known(mind)


def four(trial):
    """A space of four settings."""
    trial.suggest_categorical("loss.disc_weight", [0.1, 0.2])
    trial.suggest_int("loss.disc_start", 4, 6, step=2)


@pytest.mark.parametrize("kind", ["tpe", "random", "grid"])
def test_a_space_that_is_exhausted_ends_the_search(conductor, path, kind):
    mind = conductor(path, small_sweep(sampler={"kind": kind}), four)
    assert len(execute(mind, at_once=3)) == 4
    assert mind.is_over
    assert len({str(record.params) for record in mind.trials.values()}) == 4
    mind.log.close()
    again = conductor(path, small_sweep(sampler={"kind": kind}), four)
    assert again.is_over
    assert again.propose() is None
    (told,) = [event for event in read(path) if event["kind"] == "exhausted"]
    assert told["settings"] == 4
    assert known(again) == known(mind)


# -- what it decides ----------------------------------------------------------------------------------


def test_the_worse_half_stops_early_and_is_pruned_in_the_study(conductor, path):
    mind = conductor(path)
    execute(mind, at_once=6)
    stopped = [record for record in mind.trials.values() if record.state == "stopped"]
    assert stopped
    for record in stopped:
        assert record.step < 20
        assert record.reason == f"below its peers at step {record.step}"
        assert kinds(path, record.trial)[-2:] == ["report", "ended"]
    in_study = [trial.state for trial in mind.study.study.trials]
    assert in_study.count(TrialState.PRUNED) == len(stopped)


def test_stop_is_the_answer_to_every_report_after_the_decision(conductor, path):
    mind = conductor(path, small_sweep(scheduler={"min_peers": 1}))
    first, second = mind.propose(), mind.propose()
    assert not mind.report(first.trial, 5, {"val/psnr": 2.0})
    assert mind.report(second.trial, 5, {"val/psnr": 1.0})
    assert mind.report(second.trial, 10, {"val/psnr": 9.0})
    mind.end(second.trial)
    assert states(mind)[second.trial] == "stopped"
    assert list(mind.trials[second.trial].reports) == [5]


NO_SCORE = [
    {"val/psnr": math.nan},
    {"val/psnr": math.inf},
    {"val/ssim": 0.5},
    {"diverged": 7.0},
    {},
]


@pytest.mark.parametrize("metrics", NO_SCORE, ids=str)
@pytest.mark.parametrize("added", [False, True])
def test_a_report_without_a_finite_objective_ends_the_trial(conductor, path, metrics, added):
    mind = conductor(path, small_sweep(budget={"trials": 1}))
    if added:
        mind.add({}, "by hand")
    execute(mind, lambda proposal, step: metrics)
    assert states(mind)["0000"] == "diverged"
    assert mind.trials["0000"].reason == "no finite val/psnr at step 5"
    assert all(trial.state is TrialState.FAIL for trial in mind.study.study.trials)
    assert all(json.loads(line) for line in path.read_text().splitlines())  # NaN is no JSON
    assert "NaN" not in path.read_text()


def test_a_step_is_taken_in_once(conductor, path):
    mind = conductor(path)
    trial = mind.propose().trial
    for psnr in (1.0, 2.0):
        mind.report(trial, 5, {"val/psnr": psnr})
    assert mind.trials[trial].reports == {5: {"val/psnr": 1.0}}
    assert kinds(path, trial) == ["proposed", "report"]


def test_a_failed_trial_keeps_its_reason_and_its_reports(conductor, path):
    mind = conductor(path)
    execute(mind, errors={"0000": "ValueError: no"})
    failed = mind.trials["0000"]
    assert (failed.state, failed.reason, list(failed.reports)) == ("failed", "ValueError: no", [5])
    assert mind.study.study.trials[0].state is TrialState.FAIL
    assert len(mind.trials) == 6


def test_an_end_is_written_once(conductor, path):
    mind = conductor(path)
    trial = mind.propose().trial
    mind.report(trial, 20, {"val/psnr": 1.0})
    mind.end(trial)
    mind.end(trial, "killed afterwards")
    assert states(mind)[trial] == "finished"
    assert kinds(path, trial).count("ended") == 1


PROMOTING = {"kind": "promoting", "min_peers": 2, "reduction_factor": 2}


def test_who_is_not_among_the_best_pauses_and_goes_on_under_its_id_once_it_is(conductor, path):
    mind = conductor(path, small_sweep(scheduler=PROMOTING))
    good, bad = mind.propose(), mind.propose()
    assert mind.report(good.trial, 5, {"val/psnr": 2.0})  # there is nobody to compare with
    assert mind.report(bad.trial, 5, {"val/psnr": 1.0})
    assert states(mind) == {good.trial: "paused", bad.trial: "paused"}
    assert mind.trials[bad.trial].reason == "not among the best at step 5"
    assert mind.propose() == good
    assert kinds(path, good.trial) == ["proposed", "report", "paused", "promoted"]
    assert not mind.report(good.trial, 5, {"val/psnr": 2.0})  # as one tells that goes on
    assert mind.report(good.trial, 10, {"val/psnr": 3.0})


@pytest.mark.parametrize("at_once", [1, 3, 9])
def test_a_sweep_of_pauses_comes_to_an_end_with_finished_trials(conductor, path, at_once):
    mind = conductor(path, small_sweep(scheduler={**PROMOTING, "min_peers": 5}))
    execute(mind, at_once=at_once)
    assert mind.is_over
    ends = states(mind).values()
    assert set(ends) == {"finished", "stopped"}
    best = max(mind.trials.values(), key=lambda record: record.settings["loss.disc_weight"])
    assert best.state == "finished"
    in_study = [trial.state for trial in mind.study.study.trials]
    assert in_study.count(TrialState.PRUNED) == list(ends).count("stopped")


def test_nobody_is_dismissed_while_another_may_still_break_off(conductor, path):
    mind = conductor(path, small_sweep(scheduler=PROMOTING, budget={"trials": 2}))
    good, bad = mind.propose(), mind.propose()
    for proposal, psnr in [(good, 2.0), (bad, 1.0)]:
        mind.report(proposal.trial, 5, {"val/psnr": psnr})
    assert mind.propose() == good
    mind.start(good.trial)
    assert mind.propose() is None
    assert not mind.is_over
    assert states(mind)[bad.trial] == "paused"
    mind.end(good.trial, "OSError: gone")
    assert mind.propose() == bad


def test_paused_trials_are_stopped_once_nothing_is_left_to_run(conductor, path):
    mind = conductor(path, small_sweep(scheduler=PROMOTING))
    execute(mind, at_once=2)
    dismissed = [record for record in mind.trials.values() if record.state == "stopped"]
    assert {record.reason for record in dismissed} <= {
        f"not among the best at step {step}" for step in (5, 10)
    }
    assert all(kinds(path, record.trial)[-2:] == ["paused", "ended"] for record in dismissed)


def test_in_the_other_direction_the_highest_stops(conductor, path):
    lpips = Objective((Goal("val/lpips", "min"),))
    mind = conductor(path, small_sweep(scheduler={"min_peers": 1}), objective=lpips)
    first, second = mind.propose(), mind.propose()
    assert not mind.report(first.trial, 5, {"val/lpips": 0.1})
    assert mind.report(second.trial, 5, {"val/lpips": 0.2})


def test_the_listener_hears_every_event_once_it_is_written(conductor, path):
    heard = []

    def listen(event, record):
        assert list(read(path))[-1] == event
        heard.append((event["kind"], record.trial))

    mind = conductor(path)
    mind.listener = listen
    execute(mind)
    assert heard == [(event["kind"], event["trial"]) for event in read(path)]
