"""Who goes on at which rung, as tables: no trial, no Ray."""

import pytest

from raysweep.schema import parse
from raysweep.search.objective import Score
from raysweep.search.schedulers import AshaConfig
from raysweep.search.schedulers.base import Advice
from raysweep.search.schedulers.halving import Halving


def rungs(grace: int = 10, last_step: int = 100, **settings) -> Halving:
    return Halving(parse(AshaConfig, settings), grace, last_step)


def stops(judge: Halving, trial: str, step: int, score: float) -> bool:
    return judge.report(trial, step, Score((score,))) is Advice.STOP


MILESTONES = [
    ({}, 10, 100, [10, 30, 90]),
    ({}, 10, 90, [10, 30]),  # at the last step there is nothing left to save
    ({"reduction_factor": 2}, 1, 20, [1, 2, 4, 8, 16]),
    ({"reduction_factor": 2.5}, 4, 100, [4, 10, 25, 62]),
    ({}, 100, 100, []),
]


@pytest.mark.parametrize(("settings", "grace", "last_step", "expected"), MILESTONES)
def test_rungs_stand_at_powers_of_the_factor(settings, grace, last_step, expected):
    assert rungs(grace, last_step, **settings).milestones == expected


# Scores at one rung in order of arrival -> does each trial stop (S) or go on (-)?
AT_ONE_RUNG = [
    ("two peers stop nobody", {}, [5, 1], "--"),
    ("the third is judged by all three", {}, [5, 4, 3], "--S"),
    ("a new best goes on", {}, [1, 2, 3, 4], "----"),
    ("one of four: the factor does not divide", {}, [1, 2, 3, 2], "---S"),
    ("the second best of six goes on", {}, [1, 2, 3, 4, 5, 4.5], "------"),
    ("the third best of six stops", {}, [1, 2, 3, 4, 5, 3.5], "-----S"),
    ("equals go on together", {}, [7, 7, 7, 7], "----"),
    ("scores below zero, as of a metric that is minimized", {}, [-0.5, -0.4, -0.6], "--S"),
    ("as few peers as asked for", {"min_peers": 1}, [1, 0, 2], "-S-"),
    ("as many peers as asked for", {"min_peers": 5}, [5, 4, 3, 2, 1], "----S"),
    ("half go on", {"reduction_factor": 2}, [4, 3, 2, 3.5], "--S-"),
]


@pytest.mark.parametrize(
    ("settings", "scores", "expected"),
    [row[1:] for row in AT_ONE_RUNG],
    ids=[row[0] for row in AT_ONE_RUNG],
)
def test_who_stops_at_a_rung(settings, scores, expected):
    judge = rungs(**settings)
    told = [stops(judge, str(trial), 10, score) for trial, score in enumerate(scores)]
    assert "".join("S" if stop else "-" for stop in told) == expected


# (trial, step, score) in order of arrival -> the trials recorded at each rung
RECORDS = [
    ("before the first rung nothing counts", [("a", 9, 1)], [[], [], []]),
    ("between rungs the one below counts", [("a", 29, 1)], [["a"], [], []]),
    ("a skipped rung stays empty", [("a", 95, 1)], [[], [], ["a"]]),
    ("each trial counts once a rung", [("a", 10, 1), ("a", 20, 9)], [["a"], [], []]),
    ("rungs are apart", [("a", 10, 1), ("a", 30, 1), ("b", 10, 1)], [["a", "b"], ["a"], []]),
]


@pytest.mark.parametrize(
    ("reports", "expected"), [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS]
)
def test_a_report_counts_at_the_highest_rung_it_has_reached(reports, expected):
    judge = rungs()
    for trial, step, score in reports:
        stops(judge, trial, step, score)
    assert [sorted(judge.scores[step]) for step in (10, 30, 90)] == expected


def test_the_first_score_at_a_rung_stands():
    judge = rungs(min_peers=1)
    assert not stops(judge, "a", 10, 5)
    assert stops(judge, "b", 10, 4)
    assert not stops(judge, "b", 20, 3)  # it was judged at this rung already


def test_the_best_of_those_at_the_end_are_worth_a_later_one():
    finished = {str(trial): Score((float(trial),)) for trial in range(7)}
    assert rungs().worthy(finished) == ["6", "5"]
    assert rungs().worthy({"0": Score((1.0,))}) == ["0"]
    assert rungs().worthy({}) == []


# the end of before, the later one -> milestones, and the rung that those who finished stand at
LATER = [(20, 100, [10, 30, 90], 10), (30, 100, [10, 30, 90], 30), (9, 9, [], None)]


@pytest.mark.parametrize(("before", "later", "milestones", "rung"), LATER)
def test_an_old_end_that_becomes_a_rung_holds_who_finished_there(before, later, milestones, rung):
    judge, finished = rungs(last_step=before), {"a": Score((1.0,))}
    judge.extend(later, finished)
    assert judge.milestones == milestones
    assert [step for step, scores in judge.scores.items() if scores == finished] == (
        [] if rung is None else [rung]
    )


def test_what_a_rung_holds_stays_when_the_end_is_later():
    judge = rungs(last_step=100)
    stops(judge, "a", 90, 5)
    judge.extend(1000, {"a": Score((7.0,))})
    assert judge.scores[90] == {"a": Score((5.0,))}
    assert judge.milestones == [10, 30, 90, 270, 810]
