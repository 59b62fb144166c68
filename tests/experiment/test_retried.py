"""Trials that failed, and go on as a person asked."""

import pytest
from optuna.trial import TrialState

from tests.experiment.played import KINDS, kinds, outcome, states
from tests.fakes import PSNR, STEPS, driver, execute, known, small_sweep


def play(*of, errors=None) -> None:
    """A driver that comes to the end of its sweep."""
    with driver(*of) as mind:
        execute(mind, errors=errors)


GONE = {"0000": "OSError: gone", "0004": "OSError: gone"}


@pytest.mark.parametrize("kind", KINDS)
def test_failed_trials_alone_run_again_and_to_their_ends(conductor, path, kind):
    sweep = small_sweep(scheduler=KINDS[kind])
    play(path, sweep, errors=GONE)
    mind = conductor(path, sweep)
    failed = [trial for trial, state in states(mind).items() if state == "failed"]
    assert failed
    assert mind.is_over
    assert mind.retry_failed() == failed
    assert not mind.is_over
    assert execute(mind)[: len(failed)] == failed
    assert mind.is_over
    assert set(states(mind).values()) <= {"finished", "stopped"}


def test_a_retried_trial_keeps_its_reports_and_tells_no_step_twice(conductor, path):
    play(path, errors=GONE)
    mind = conductor(path)
    mind.retry_failed()
    record = mind.trials["0000"]
    assert (record.state, record.reason, record.ended) == ("promoted", "", 0.0)
    assert list(record.reports) == [STEPS[0]]
    execute(mind)
    steps = [step for step in STEPS if step <= record.step]
    assert list(record.reports) == steps
    assert kinds(path, "0000").count("report") == len(steps)


def test_the_study_takes_the_end_that_it_came_to_and_no_longer_its_failure_alone(conductor, path):
    play(path, small_sweep(scheduler={"kind": "none"}), errors=GONE)
    mind = conductor(path, small_sweep(scheduler={"kind": "none"}))
    mind.retry_failed()
    before = mind.study.trial(0)
    assert (before.state, list(before.intermediate_values)) == (TrialState.RUNNING, [STEPS[0]])
    execute(mind)
    after, record = mind.study.trial(0), mind.trials["0000"]
    assert after.state is TrialState.COMPLETE
    assert (after.params, after.value) == (record.params, record.reports[STEPS[-1]]["val/psnr"])
    assert list(after.intermediate_values) == list(STEPS)


def test_a_replay_comes_to_the_same(conductor, path):
    play(path, errors=GONE)
    mind = conductor(path)
    mind.retry_failed()
    waits = known(mind)
    mind.log.close()
    mind = conductor(path)
    assert known(mind) == waits
    execute(mind, at_once=2, errors={"0004": "again"})
    mind.log.close()
    assert outcome(conductor(path)) == outcome(mind)
    assert states(mind)["0004"] == "failed"


def test_failures_in_a_row_are_counted_anew(conductor, path):
    sweep = small_sweep(budget={"max_failures": 2}, scheduler={"kind": "none"})
    play(path, sweep, errors={"0000": "no", "0001": "no"})
    mind = conductor(path, sweep)
    assert (mind.is_over, list(mind.trials)) == (True, ["0000", "0001"])
    mind.retry_failed()
    execute(mind)
    assert len(mind.trials) == 6


def test_a_trial_whose_settings_made_no_run_fails_again(conductor, path):
    def space(trial):
        trial.suggest_float("loss.disc_weight", 0.1, 1.0)
        return {"training.steps": -trial.number}

    play(path, small_sweep(), space, PSNR)
    mind = conductor(path, small_sweep(), space, PSNR)
    assert len(mind.retry_failed()) == 6
    assert execute(mind) == []
    assert set(states(mind).values()) == {"failed"}
