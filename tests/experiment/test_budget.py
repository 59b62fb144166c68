"""Budgets, requests and extensions of a sweep that is played through, and that a replay of it is it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from raysweep.config import SweepConfig
from raysweep.experiment import requests
from raysweep.experiment.account import Account
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.earlier import Known
from raysweep.experiment.events import EventLog, read
from raysweep.search.schedulers.ladder import Rung
from search_spaces import smoke
from tests.fakes import PSNR, by_weight, execute, known, small_sweep

MINUTE = 60.0
NO_STOPS = {"min_peers": 1000}


@contextmanager
def driver(
    path: Path, sweep: SweepConfig, opened_at: float = 0.0, space=smoke.space
) -> Iterator[Conductor]:
    """Every event takes a minute; requests lie beside the log."""
    folder = path.parent / "requests"
    ticks = count()
    with EventLog(path, clock=lambda: opened_at + MINUTE * next(ticks)) as log:
        log.append("opened", "")
        yield Conductor(
            sweep, space, PSNR, log, read(path), requests=lambda: requests.waiting(folder)
        )


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "requests"


def states(mind: Conductor) -> list[str]:
    return [record.state for record in mind.trials.values()]


def reasons(mind: Conductor) -> set[str]:
    return {record.reason for record in mind.trials.values()}


def everything(mind: Conductor) -> object:
    spent = mind.known.budget
    counted = (spent.trials, spent.steps, spent.seconds, spent.gpu_seconds, spent.saved_steps)
    return known(mind), counted, spent.unimproved, spent.failures, mind.known.sweep


# -- budgets ------------------------------------------------------------------------------------------


def test_spent_steps_end_what_runs_at_its_next_validation(path):
    sweep = small_sweep(budget={"steps": 30, "trials": None}, scheduler=NO_STOPS)
    with driver(path, sweep) as mind:
        execute(mind, at_once=2)
        assert mind.is_over
    assert states(mind) == ["finished", "stopped"]
    assert mind.trials["0001"].reason == "budget.steps is spent, at step 15"
    assert mind.study.study.trials[1].state is TrialState.PRUNED


def test_a_trial_at_its_end_has_finished_whatever_is_spent(path):
    with driver(path, small_sweep(budget={"steps": 20}, scheduler=NO_STOPS)) as mind:
        execute(mind)
    assert states(mind) == ["finished"]


def test_spent_hours_end_what_runs_and_the_time_without_a_driver_is_none(path):
    sweep = small_sweep(budget={"hours": 0.2}, scheduler=NO_STOPS)
    with driver(path, sweep) as mind:
        first = mind.propose()
        mind.start(first.trial)
        assert not mind.report(first.trial, 5, {"val/psnr": 1.0})
    with driver(path, sweep, opened_at=1e6) as mind:
        execute(mind)
    assert states(mind) == ["finished", "stopped"]
    assert mind.known.budget.seconds == (3 + 10) * MINUTE
    assert mind.trials["0001"].reason == "budget.hours is spent, at step 10"


@pytest.mark.parametrize("jump_seconds", [86400.0, -86400.0])
def test_whoever_sets_the_clock_spends_no_hours(path, monkeypatch, jump_seconds):
    sweep = small_sweep(budget={"hours": 1}, scheduler=NO_STOPS)
    with EventLog(path) as log:
        log.append("opened", "")
        mind = Conductor(sweep, smoke.space, PSNR, log, read(path))
        first = mind.propose()
        mind.start(first.trial)
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + jump_seconds)
        assert not mind.report(first.trial, 5, {"val/psnr": 1.0})
    assert 0 <= mind.known.budget.seconds < 3600
    assert Account(sweep, PSNR, read(path)).budget.seconds == mind.known.budget.seconds


def test_gpu_hours_count_every_gpu_of_a_running_trial(path):
    base = {**smoke.BASE, "cluster": {"gpus_per_worker": 1, "workers": 4}}
    sweep = small_sweep(base=base, budget={"gpu_hours": 0.25}, scheduler=NO_STOPS)
    with driver(path, sweep) as mind:
        execute(mind)
    assert mind.known.budget.gpu_seconds == 5 * 4 * MINUTE
    assert states(mind) == ["finished"]


def test_hours_pass_while_earlier_results_are_taken_in(path):
    sweep = small_sweep(budget={"hours": 1})
    with driver(path, sweep) as mind:
        for number in range(3):
            mind.know(Known(f"before/{number}", {}, {20: {"val/psnr": 1.0}}, "complete"))
    with driver(path, sweep, opened_at=1e6) as mind:
        assert mind.known.budget.seconds == 3 * MINUTE
    assert Account(sweep, PSNR, read(path)).budget.limits == mind.known.budget.limits


@pytest.mark.parametrize(
    ("limits", "formula", "trials"),
    [
        ({"patience": 2}, lambda proposal, step: {"val/psnr": 1.0}, 3),
        ({"max_failures": 2}, lambda proposal, step: {}, 2),
    ],
)
def test_patience_and_failures_end_the_proposing(path, limits, formula, trials):
    with driver(path, small_sweep(budget=limits, scheduler=NO_STOPS)) as mind:
        execute(mind, formula)
        assert mind.is_over
    assert len(mind.trials) == trials


def test_a_paused_trial_does_not_set_a_search_going_again_that_failures_ended(path):
    scheduler = {"kind": "promoting", "min_peers": 1000}

    def formula(proposal: Proposal, step: int) -> dict[str, float]:
        return {} if proposal.trial == "0001" else {"val/psnr": float(step)}

    with driver(path, small_sweep(budget={"max_failures": 1}, scheduler=scheduler)) as mind:
        execute(mind, formula)
        assert mind.is_over
    assert states(mind) == ["finished", "diverged"]


def test_trials_that_run_go_on_when_no_more_are_proposed(path):
    with driver(path, small_sweep(budget={"patience": 1}, scheduler=NO_STOPS)) as mind:
        execute(mind, lambda proposal, step: {"val/psnr": 1.0}, at_once=3)
    assert states(mind) == ["finished"] * 3


def test_what_a_person_adds_is_outside_the_budget(path):
    with driver(path, small_sweep(budget={"steps": 5}, scheduler=NO_STOPS)) as mind:
        execute(mind)
        trial = mind.add({}, "by hand")
        execute(mind)
    assert mind.trials[trial].state == "finished"
    assert (mind.known.budget.trials, mind.known.budget.steps) == (1, 5)


def test_a_driver_that_comes_when_steps_are_spent_runs_nothing_any_more(path):
    sweep = small_sweep(budget={"steps": 10}, scheduler=NO_STOPS)
    with driver(path, sweep) as mind:
        trials = [mind.propose().trial for _ in range(2)]
        for trial in trials:
            mind.start(trial)
            mind.report(trial, 5, {"val/psnr": 1.0})
    with driver(path, sweep) as mind:
        assert execute(mind) == []
    assert states(mind) == ["stopped"] * 2


# -- requests -----------------------------------------------------------------------------------------


def test_a_trial_that_is_to_stop_ends_at_its_next_validation(path, folder):
    with driver(path, small_sweep(scheduler=NO_STOPS)) as mind:
        first, second = mind.propose(), mind.propose()
        for proposal in (first, second):
            mind.start(proposal.trial)
            mind.report(proposal.trial, 5, by_weight(proposal, 5))
        requests.ask_to_stop(folder, first.trial)
        assert not mind.report(second.trial, 10, by_weight(second, 10))
        assert mind.trials[first.trial].state == "running"
        assert mind.report(first.trial, 10, by_weight(first, 10))
    record = mind.trials[first.trial]
    assert (record.state, record.reason) == ("stopped", "stopped by hand at step 10")
    assert mind.study.study.trials[0].state is TrialState.PRUNED
    assert requests.count(folder) == 0


def test_a_trial_that_waits_is_stopped_at_once(path, folder):
    with driver(path, small_sweep()) as mind:
        trial = mind.add({}, "by hand")
        requests.ask_to_stop(folder, trial)
        assert mind.propose().trial == "0001"
    assert mind.trials[trial].reason == "stopped by hand at step 0"


def test_a_stop_that_was_written_is_honoured_by_the_next_driver(path, folder):
    with driver(path, small_sweep()) as mind:
        trial = mind.propose().trial
        mind.start(trial)
        mind.report(trial, 5, {"val/psnr": 1.0})
        requests.ask_to_stop(folder, trial)
        mind.propose()
    with driver(path, small_sweep()) as mind:
        assert mind.trials[trial].state == "stopped"


def test_an_enqueued_trial_is_next_and_keeps_the_sweep_going(path, folder):
    with driver(path, small_sweep(budget={"trials": 2}, scheduler=NO_STOPS)) as mind:
        first = mind.propose()
        requests.ask_to_enqueue(folder, {"loss.disc_weight": 0.5})
        proposal = mind.propose()
        assert proposal.config.loss.disc_weight == 0.5
        assert mind.trials[proposal.trial].origin == "enqueued"
        mind.end(first.trial)
        mind.end(proposal.trial)
        last = mind.propose()
        requests.ask_to_enqueue(folder, {})
        mind.report(last.trial, 5, {"val/psnr": 1.0})
        mind.end(last.trial)
        assert not mind.is_over
        assert execute(mind) == ["0003"]
        assert mind.is_over


def test_a_request_whose_file_outlived_its_event_is_not_honoured_twice(path, folder):
    requests.ask_to_enqueue(folder, {})
    (file,) = folder.iterdir()
    text = file.read_text()
    with driver(path, small_sweep(), space=None) as mind:
        execute(mind)
    file.write_text(text)  # as after a kill between the event and the removal
    with driver(path, small_sweep(), space=None) as mind:
        assert execute(mind) == []
    assert list(folder.iterdir()) == []
    assert len(mind.trials) == 1


def test_a_stop_of_a_trial_that_ended_meanwhile_changes_nothing(path, folder):
    with driver(path, small_sweep(budget={"trials": 1})) as mind:
        execute(mind)
        before = path.read_bytes()
        requests.ask_to_stop(folder, "0000")
        assert mind.propose() is None
    assert path.read_bytes() == before
    assert requests.count(folder) == 0


# -- extensions ---------------------------------------------------------------------------------------

HALF = {"kind": "asha", "grace": 20, "reduction_factor": 2, "min_peers": 2, "clock": "steps"}
"""No rung before the end at 20 steps."""


def extended(mind: Conductor, last_step: int | None = None, **limits) -> Conductor:
    mind.extend(mind.known.sweep.budget.model_copy(update=limits), last_step)
    return mind


def test_more_trials_go_on_where_the_search_stood(conductor, path, tmp_path):
    with driver(path, small_sweep(budget={"trials": 3})) as mind:
        execute(mind)
    with driver(path, small_sweep(budget={"trials": 3})) as mind:
        assert execute(extended(mind, trials=6)) == ["0003", "0004", "0005"]
    with driver(tmp_path / "whole.jsonl", small_sweep(budget={"trials": 6})) as whole:
        execute(whole)
    assert known(mind) == known(whole)


def test_the_best_go_on_to_a_later_end_and_the_others_stay_finished(path):
    sweep = small_sweep(budget={"trials": 4}, scheduler=HALF)
    with driver(path, sweep) as mind:
        execute(mind)
        assert states(mind) == ["finished"] * 4
    last = {record.trial: record.reports[20]["val/psnr"] for record in mind.trials.values()}
    best = sorted(sorted(last, key=lambda trial: last[trial])[-2:])
    with driver(path, sweep) as mind:
        extended(mind, last_step=40, trials=5)
        proposals = [mind.propose() for _ in range(3)]
    assert [proposal.trial for proposal in proposals] == [*best, "0004"]
    assert {proposal.config.training.steps for proposal in proposals} == {40}
    assert mind.trials["0004"].last_step == 40
    assert len(mind.study.study.trials) == 7
    assert set(mind.scheduler.rungs.scores[Rung(20)]) == set(last)


def test_a_gan_that_starts_at_a_fraction_starts_when_it_would_have(path):
    def space(trial):
        trial.suggest_float("loss.disc_start", 0.2, 0.6)

    with driver(path, small_sweep(budget={"trials": 1}), space=space) as mind:
        first = mind.propose()
        mind.start(first.trial)
        mind.report(first.trial, 5, {"val/psnr": 1.0})
    meant = first.config.loss.disc_start_step(20)
    with driver(path, small_sweep(budget={"trials": 1}), space=space) as mind:
        again, new = (extended(mind, last_step=40, trials=2).propose() for _ in range(1)), None
        (again,) = again
        new = mind.propose()
    assert (again.trial, again.config.training.steps) == ("0000", 40)
    assert again.config.loss.disc_start == meant
    assert new.config.loss.disc_start < 1


def test_a_trial_that_goes_on_ends_a_second_time(path):
    sweep = small_sweep(budget={"trials": 1}, scheduler=NO_STOPS)
    with driver(path, sweep) as mind:
        execute(mind)
        extended(mind, last_step=40)
        trial = mind.propose().trial
        mind.start(trial)
        mind.report(trial, 40, {"val/psnr": 9.0})
        mind.end(trial)
    assert (mind.trials[trial].state, mind.trials[trial].step) == ("finished", 40)
    assert [each.state for each in mind.study.study.trials] == [TrialState.COMPLETE] * 2
    with driver(path, sweep) as again:
        assert everything(again) == everything(mind)


def test_an_added_trial_keeps_its_length(path):
    with driver(path, small_sweep(), space=None) as mind:
        mind.start(mind.add({}, "by hand"))
    with driver(path, small_sweep(), space=None) as mind:
        assert extended(mind, last_step=40).propose().config.training.steps == 20


# -- replay -------------------------------------------------------------------------------------------

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "trials": st.integers(1, 8),
        "steps": st.integers(1, 100),
        "hours": st.floats(0.05, 1),
        "patience": st.integers(1, 3),
        "max_failures": st.integers(1, 3),
    },
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("propose"), st.just(0), st.just(0.0)),
        st.tuples(
            st.sampled_from(["report", "end", "fail", "stop"]), st.integers(0, 5), st.floats(0, 9)
        ),
        st.tuples(st.sampled_from(["enqueue", "lengthen", "more"]), st.just(0), st.just(0.0)),
    ),
    max_size=40,
)


def act(mind: Conductor, folder: Path, what: str, which: int, psnr: float) -> None:
    running = [record for record in mind.trials.values() if record.state == "running"]
    if what == "propose" and (proposal := mind.propose()) is not None:
        mind.start(proposal.trial)
    elif what == "enqueue":
        requests.ask_to_enqueue(folder, {"loss.disc_weight": 0.5})
    elif what == "lengthen":
        extended(mind, last_step=mind.known.sweep.run().training.steps + 20)
    elif what == "more":
        extended(mind, steps=(mind.known.budget.steps + 50))
    elif running and what == "stop":
        requests.ask_to_stop(folder, running[which % len(running)].trial)
    elif running and what == "report":
        record = running[which % len(running)]
        mind.report(record.trial, record.step + 5, {"val/psnr": psnr})
    elif running and what in ("end", "fail"):
        mind.end(running[which % len(running)].trial, "gone" if what == "fail" else "")


@given(limits=LIMITS, actions=ACTIONS)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_replay_is_the_live_conductor(tmp_path, limits, actions):
    path, folder = tmp_path / "events.jsonl", tmp_path / "requests"
    path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)  # of the example before
    sweep = small_sweep(budget={"trials": None, **limits})
    with driver(path, sweep) as mind:
        for action in actions:
            act(mind, folder, *action)
        for record in [r for r in mind.trials.values() if r.state == "running"]:
            mind.report(record.trial, record.step + 1, {"val/psnr": 1.0})  # honours what was asked
    told, account = everything(mind), Account(sweep, PSNR, read(path))
    assert account.trials == mind.trials
    assert account.sweep == mind.known.sweep
    assert account.budget.limits == mind.known.budget.limits
    with driver(path, sweep) as again:
        assert everything(again) == told


def test_a_driver_killed_anywhere_honours_every_request_once(tmp_path):
    sweep = small_sweep(budget={"trials": 2}, scheduler=HALF)
    whole = tmp_path / "whole" / "events.jsonl"
    with driver(whole, sweep) as mind:
        requests.ask_to_enqueue(whole.parent / "requests", {})
        asked = (whole.parent / "requests").glob("*.json")
        files = {file.name: file.read_text() for file in asked}
        execute(mind)
        execute(extended(mind, last_step=40, trials=3))
    lines = whole.read_bytes().splitlines(keepends=True)
    for cut in range(1, len(lines)):
        path = tmp_path / str(cut) / "events.jsonl"
        for name, text in files.items():
            (path.parent / "requests").mkdir(parents=True)
            (path.parent / "requests" / name).write_text(text)
        path.write_bytes(b"".join(lines[:cut]))
        with driver(path, sweep) as mind:
            execute(mind)
            assert mind.is_over
        origins = [record.origin for record in mind.trials.values()]
        assert origins.count("enqueued") == 1
        assert set(states(mind)) == {"finished"}
        assert not list((path.parent / "requests").iterdir())


@pytest.mark.parametrize("kind", ["opened", "closed", "restarted"])
def test_the_time_before_a_driver_begins_or_after_it_worked_is_not_spent(kind):
    """Also where a supervisor writes before the driver has begun, or a driver ends before that."""
    times = {"opened": 0.0, "exhausted": 60.0}
    events = [{"kind": name, "trial": "", "time": at, "settings": 1} for name, at in times.items()]
    later = {"kind": kind, "trial": "", "time": 9000.0}
    assert Account(small_sweep(), PSNR, [*events, later]).budget.seconds == 60.0
