"""Trials that rest, as nothing decided about them: a person paused the sweep, or their process died."""

from tests.experiment.played import asked, kinds, states
from tests.fakes import STEPS, known, small_sweep


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


def test_a_process_that_dies_of_a_trial_in_line_changes_nothing(conductor, path):
    """Whose turn it was is over: it is in line once."""
    mind = conductor(path)
    trial = mind.propose().trial
    mind.start(trial)
    mind.lost(trial, "gone")
    mind.lost(trial, "gone")
    assert mind.trials[trial].losses == 1
    assert mind.propose().trial == trial
    assert mind.propose().trial != trial
