"""A supervisor goes on for drivers that die, and for no others; the event log says which did."""

import pytest

from raysweep.commands.supervise import SHORT_LIVES, in_a_process, note_restart, supervise
from raysweep.errors import ExperimentError
from raysweep.experiment.drivers import FRUITLESS_RESTARTS, Ended
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment

FIRST, AGAIN = ["sweep", "smoke"], ["resume", "runs/smoke", "--if-died"]

# how drivers end, one after the other; the exit code of the whole
ENDS = [
    ([Ended(0)], 0),
    ([Ended(2)], 2),  # wrong input: nothing began
    ([Ended(1, is_stopped=True)], 1),
    ([Ended(137), Ended(0)], 0),
    ([Ended(137), Ended(134), Ended(1), Ended(0)], 0),
    ([Ended(137), Ended(130, is_stopped=True)], 130),
    ([Ended(1), Ended(2)], 1),  # it had ended by itself, as the next one read in the log
]


@pytest.mark.parametrize(("ends", "code"), ENDS, ids=str)
def test_it_goes_on_until_there_is_nothing_to_go_on_with(ends, code):
    left, ran = list(ends), []

    def run(words):
        ran.append(words)
        return left.pop(0)

    assert supervise(run, FIRST, "runs/smoke", rest=lambda seconds: None) == code
    assert ran == [FIRST, *[AGAIN] * (len(ends) - 1)]


def test_it_gives_up_on_drivers_that_end_at_once():
    ran, rests = [], []

    def run(words):
        ran.append(words)
        return Ended(1)

    assert supervise(run, FIRST, "runs/smoke", rest=rests.append) == 1
    assert len(ran) == 1 + SHORT_LIVES
    assert rests == sorted(rests)
    assert max(rests) == 60


@pytest.fixture
def died(folder):
    """Its driver died after a report."""
    experiment = Experiment(folder / "runs" / "died")
    with EventLog(experiment.events) as log:
        log.append("opened", "")
        log.append("report", "0000", step=5, metrics={})
    return experiment


def test_a_restart_is_written_down(died):
    note_restart(died)
    assert [event["kind"] for event in read(died.events)] == ["opened", "report", "restarted"]


def test_restarts_end_where_they_bring_nothing(died):
    for _ in range(FRUITLESS_RESTARTS):
        note_restart(died)
    with pytest.raises(ExperimentError, match="3 drivers in a row died"):
        note_restart(died)
    with EventLog(died.events) as log:
        log.append("report", "0000", step=10, metrics={})
    note_restart(died)


def test_a_driver_that_ended_by_itself_is_not_gone_on_for(died):
    with EventLog(died.events) as log:
        log.append("closed", "")
    with pytest.raises(ExperimentError, match="ended by itself"):
        note_restart(died)


def test_nor_is_one_that_a_person_paused(died):
    with EventLog(died.events) as log:
        log.append("suspended", "")
    with pytest.raises(ExperimentError, match=r"and .* is paused"):
        note_restart(died)


def test_nor_is_one_that_lives(died):
    with EventLog(died.events), pytest.raises(ExperimentError, match="one driver at a time"):
        note_restart(died)


def test_a_process_of_its_own_runs_the_words(folder, capfd):
    assert in_a_process(["status", "absent"]) == Ended(2)
    assert "absent is not an experiment" in capfd.readouterr().err
