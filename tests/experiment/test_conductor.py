"""The conductor under a fake executor: what it proposes and decides, and that a replay of it is it."""

import json
import math
from itertools import count, pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from raysweep.config import SweepConfig, in_steps
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.requests import Request
from raysweep.schema import Tree
from raysweep.search.objective import Constraint, Goal, Objective
from raysweep.search.ranking import ranks
from search_spaces import smoke
from tests.fakes import PSNR, STEPS, driver, execute, known, small_sweep


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "events.jsonl"


def states(mind: Conductor) -> dict[str, str]:
    return {record.trial: record.state for record in mind.trials.values()}


def kinds(path: Path, trial: str) -> list[str]:
    return [event["kind"] for event in read(path) if event["trial"] == trial]


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


# -- replay -------------------------------------------------------------------------------------------


def outcome(mind: Conductor) -> object:
    return known(mind)[0]


def check_complete(mind: Conductor, trials: int) -> None:
    """No trial lost, none ended twice, no report taken in twice."""
    events = list(read(mind.log.path))
    ids = [f"{number:04d}" for number in range(trials)]
    assert [event["trial"] for event in events if event["kind"] == "proposed"] == ids
    assert sorted(event["trial"] for event in events if event["kind"] == "ended") == ids
    reports = [(event["trial"], event["step"]) for event in events if event["kind"] == "report"]
    assert len(reports) == len(set(reports))


KINDS: dict[str, Tree] = {
    "asha": {},
    "promoting": {"kind": "promoting", "min_peers": 2, "reduction_factor": 2},
    "median": {"kind": "median", "min_peers": 2},
    "hyperband": {"kind": "hyperband", "min_peers": 2, "reduction_factor": 2, "clock": "phases"},
}
"""Settings of a scheduler of each kind that judges in a small sweep."""


class Live(NamedTuple):
    """A sweep played through, with a trial that ends early, a failure, a divergence and an added trial."""

    at_once: int
    sweep: SweepConfig
    log: bytes
    outcome: object


@pytest.fixture(
    scope="module",
    params=[(1, "asha"), (3, "asha"), (1, "promoting"), (3, "promoting"), (3, "median"), (1, "hyperband")],
    ids="{0[0]}-at-once-{0[1]}".format,
)  # fmt: skip
def live(request, tmp_path_factory) -> Live:
    at_once, kind = request.param
    sweep = small_sweep(scheduler=KINDS[kind])
    with driver(tmp_path_factory.mktemp("live") / "events.jsonl", sweep) as mind:
        mind.add({"loss.disc_weight": 0.001}, "by hand")
        play(mind, at_once)
    assert set(states(mind).values()) == {"stopped", "finished", "failed", "diverged"}
    return Live(at_once, sweep, mind.log.path.read_bytes(), outcome(mind))


QUALITY = dict(zip([f"{number:04d}" for number in range(7)], (0, 2, 3, 5, 1, 9, 4), strict=True))


def play(mind: Conductor, at_once: int) -> list[str]:
    def formula(proposal: Proposal, step: int) -> dict[str, float]:
        if proposal.trial == "0003" and step > 5:
            return {"val/ssim": 0.5}
        return {"val/psnr": step * (QUALITY[proposal.trial] + proposal.config.loss.disc_weight)}

    return execute(mind, formula, at_once, {"0002": "OSError: gone"})


def cuts(log: bytes) -> list[int]:
    """Every place between two lines, and the middle of every line."""
    ends = [0] + [place + 1 for place, byte in enumerate(log) if byte == ord("\n")]
    return sorted(ends + [(a + b) // 2 for a, b in pairwise(ends)])


def test_a_driver_killed_anywhere_is_taken_over(conductor, live, tmp_path):
    at_once, sweep, log, expected = live
    for cut in cuts(log):
        path = tmp_path / f"{cut}.jsonl"
        path.write_bytes(log[:cut])
        mind = conductor(path, sweep)
        ended = {record.trial for record in mind.trials.values() if record.ended}
        still_open = [record.trial for record in mind.trials.values() if record.is_open]
        if not mind.trials:  # the command that adds the trial adds it before it starts
            mind.add({"loss.disc_weight": 0.001}, "by hand")
        started = play(mind, at_once)
        assert started[: len(still_open)] == still_open
        assert not ended & set(started)
        assert path.read_bytes().startswith(log[:cut][: log[:cut].rfind(b"\n") + 1])
        check_complete(mind, 7)
        if at_once == 1:  # nothing depends on who ran beside whom: all comes out the same
            assert outcome(mind) == expected
        mind.log.close()


def asked(number: int, kind: str) -> Request:
    return Request(f"{number:020d}-1", kind, "", {})


def test_a_sweep_that_is_paused_rests_and_goes_on_unchanged(conductor, live, tmp_path):
    """Asked for at some moments; a driver later, the same as if nobody had asked."""
    at_once, sweep, log, expected = live
    for number in range(0, log.count(b'"report"'), 4):
        path = tmp_path / f"{number}.jsonl"
        mind = conductor(path, sweep)
        mind.add({"loss.disc_weight": 0.001}, "by hand")
        heard = count()
        mind.requests = lambda n=number, c=heard: [asked(0, "pause")] * (next(c) >= 2 * n)
        play(mind, at_once)
        assert mind.is_over
        assert not mind.at_work
        rests = {name: record.step for name, record in mind.trials.items() if record.is_open}
        mind.log.append("opened", "")
        mind.log.close()
        again = conductor(path, sweep)
        assert again.is_suspended is False
        started = play(again, at_once)
        assert started[: len(rests)] == list(rests)
        check_complete(again, 7)
        if at_once == 1:
            assert outcome(again) == expected
        again.log.close()


def test_a_pause_that_is_taken_back_puts_trials_in_line_again(conductor, path):
    mind = conductor(path)
    trial = mind.propose().trial
    mind.start(trial)
    mind.requests = lambda: [asked(0, "pause")]
    assert mind.report(trial, 5, {"val/psnr": 1.0})
    mind.end(trial)  # as the executor says of what was stopped
    assert (states(mind)[trial], mind.propose(), mind.is_over) == ("suspended", None, True)
    mind.requests = lambda: [asked(0, "pause"), asked(1, "unpause")]
    assert mind.propose().trial == trial
    assert not mind.is_suspended


def test_a_trial_at_its_end_is_not_paused_there(conductor, path):
    mind = conductor(path)
    trial = mind.propose().trial
    mind.start(trial)
    mind.requests = lambda: [asked(0, "pause")]
    assert not mind.report(trial, STEPS[-1], {"val/psnr": 1.0})
    mind.end(trial)
    assert states(mind)[trial] == "finished"


def test_a_trial_whose_process_died_goes_on_first_and_unchanged(conductor, path):
    mind = conductor(path)
    first, second = mind.propose().trial, mind.propose().trial
    for trial in (first, second):
        mind.start(trial)
    mind.report(first, 5, {"val/psnr": 1.0})
    before = known(mind)[1:]
    mind.lost(first, "The actor died because its node has died.")
    assert (states(mind)[first], mind.at_work) == ("suspended", [second])
    assert known(mind)[1:] == before
    assert mind.propose().trial == first
    mind.start(first)
    assert (states(mind)[first], mind.trials[first].reason) == ("running", "")


def test_a_trial_whose_process_dies_again_and_again_fails_where_it_comes_no_further(
    conductor, path
):
    mind = conductor(path, small_sweep(base={"cluster": {"max_failures": 2}}))
    trial = mind.propose().trial
    mind.start(trial)
    for step in (5, 10):  # each time further
        mind.lost(trial, "gone")
        mind.lost(mind.propose().trial, "gone")
        mind.report(mind.propose().trial, step, {"val/psnr": 1.0})
    for _ in range(2):
        mind.lost(trial, "gone")
        assert mind.propose().trial == trial
    mind.lost(trial, "gone")
    assert (states(mind)[trial], mind.trials[trial].reason) == ("failed", "gone")
    mind.lost(trial, "gone")
    assert kinds(path, trial)[-1] == "ended"


def test_a_verdict_that_was_not_written_is_given(conductor, path):
    mind = conductor(path, small_sweep(scheduler={"min_peers": 1}))
    first, second = mind.propose(), mind.propose()
    mind.report(first.trial, 5, {"val/psnr": 2.0})
    mind.report(second.trial, 5, {"val/psnr": 1.0})
    mind.log.close()
    lines = path.read_bytes().splitlines(keepends=True)
    assert json.loads(lines[-1])["kind"] == "ended"
    path.write_bytes(b"".join(lines[:-1]))
    again = conductor(path, small_sweep(scheduler={"min_peers": 1}))
    assert known(again) == known(mind)
    assert again.propose().trial == first.trial
    assert again.propose().trial == "0002"


# An action each time the executor may act: start a trial, or let the n-th open one report, end or fail.
ACTIONS = st.lists(
    st.one_of(
        st.just(("propose", 0, 0.0)),
        st.tuples(st.just("report"), st.integers(0, 5), st.floats(0, 30)),
        st.tuples(st.just("report"), st.integers(0, 5), st.just(math.nan)),
        st.tuples(st.sampled_from(["end", "fail", "die"]), st.integers(0, 5), st.just(0.0)),
        st.just(("add", 0, 0.0)),
    ),
    max_size=40,
)


def act(mind: Conductor, what: str, which: int, psnr: float) -> None:
    if what == "propose":
        if (proposal := mind.propose()) is not None:
            mind.start(proposal.trial)
        return
    if what == "add":
        mind.add({"loss.disc_weight": 0.5}, "by hand")
        return
    running = [record for record in mind.trials.values() if record.state == "running"]
    if not running:
        return
    record = running[which % len(running)]
    if what == "report":
        mind.report(record.trial, record.step + 5, {"val/psnr": psnr})
    elif what == "die":
        mind.lost(record.trial, "gone")
    else:
        mind.end(record.trial, "gone" if what == "fail" else "")


@pytest.mark.parametrize("kind", KINDS)
@given(actions=ACTIONS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_replay_is_the_live_conductor(tmp_path, kind, actions):
    sweep = small_sweep(scheduler=KINDS[kind])
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    with driver(path, sweep) as mind:
        for action in actions:
            act(mind, *action)
    with driver(path, sweep) as again:
        assert known(again) == known(mind)
    number = len(mind.trials)
    assert again.study.propose(number) == mind.study.propose(number)


def test_the_log_is_believed_where_this_sampler_would_propose_something_else(conductor, path):
    mind = conductor(path)
    params = mind.trials[mind.propose().trial].params
    mind.log.close()
    other = {**params, "loss.disc_start": 5 + (params["loss.disc_start"] - 4) % 11}
    path.write_text(path.read_text().replace(json.dumps(params), json.dumps(other)))
    again = conductor(path)
    assert other != params
    assert again.trials["0000"].params == again.study.study.trials[0].params == other


# -- several goals, and constraints --------------------------------------------------------------------

TWO_GOALS = (Goal("val/psnr", "max"), Goal("val/lpips", "min"))
USAGE = Constraint("val/code_usage", 0.5, is_minimum=True)
JUDGES = [
    pytest.param(Objective(TWO_GOALS), id="two"),
    pytest.param(Objective(TWO_GOALS, constraints=(USAGE,)), id="two-bound"),
    pytest.param(Objective(TWO_GOALS, (1.0, 20.0), (USAGE,)), id="weighted-bound"),
    pytest.param(Objective(TWO_GOALS[:1], constraints=(USAGE,)), id="one-bound"),
]


def traded(proposal: Proposal, step: int) -> dict[str, float]:
    """What one metric gains the other loses, at a cost of its own; each second trial leaves codes unused."""
    number, weight = int(proposal.trial), proposal.config.loss.disc_weight
    loss = 0.1 * (number % 3)
    return {
        "val/psnr": step * (1 + weight) - loss,
        "val/lpips": weight + loss,
        "val/code_usage": 0.25 if number % 2 else 0.75,
    }


@pytest.mark.parametrize("objective", JUDGES)
def test_it_is_decided_and_replayed_by_all_that_ranks(conductor, path, objective):
    sweep = small_sweep(budget={"trials": 9}, sampler={"startup_trials": 3})
    mind = conductor(path, sweep, objective=objective)
    execute(mind, traded, at_once=3)
    assert set(states(mind).values()) == {"stopped", "finished"}
    for rung in mind.scheduler.rungs.scores.values():
        ranked = ranks(rung)
        best = min(rung, key=lambda trial: ranked[trial])
        broken = {trial for trial, score in rung.items() if score.violation}
        assert broken == ({t for t in rung if int(t) % 2} if objective.constraints else set())
        assert best not in broken
    mind.log.close()
    for cut in cuts(path.read_bytes())[::7]:
        part = path.with_name(f"{cut}.jsonl")
        part.write_bytes(path.read_bytes()[:cut])
        again = conductor(part, sweep, objective=objective)
        execute(again, traded, at_once=3)
        check_complete(again, 9)
    assert known(conductor(path, sweep, objective=objective)) == known(mind)


def test_a_trial_that_breaks_a_constraint_stops_before_one_that_keeps_it(conductor, path):
    bound = Objective(TWO_GOALS[:1], constraints=(USAGE,))
    mind = conductor(path, small_sweep(), objective=bound)
    first, second = mind.propose(), mind.propose()
    assert not mind.report(first.trial, 5, {"val/psnr": 1.0, "val/code_usage": 0.5})
    assert mind.report(second.trial, 5, {"val/psnr": 9.0, "val/code_usage": 0.4})


def test_a_report_without_what_is_bound_ends_the_trial(conductor, path):
    mind = conductor(path, objective=Objective(TWO_GOALS[:1], constraints=(USAGE,)))
    trial = mind.propose().trial
    assert mind.report(trial, 5, {"val/psnr": 1.0})
    assert mind.trials[trial].reason == "no finite val/code_usage at step 5"


def test_a_replay_writes_nothing(conductor, path):
    execute(conductor(path), at_once=2)
    before = path.read_bytes()
    mind = Conductor(small_sweep(), smoke.space, PSNR, _Mute(), read(path))
    assert mind.propose() is None
    assert path.read_bytes() == before


class _Mute:
    """A log that nobody may write to."""

    def append(self, kind: str, trial: str, **details: object) -> None:
        raise AssertionError(f"wrote {kind} of {trial}")
