"""Who goes on at which rung, as tables: no trial, no Ray."""

import pytest

from raysweep.schema import parse
from raysweep.search.objective import Score
from raysweep.search.schedulers import AshaConfig, Course
from raysweep.search.schedulers.base import Advice
from raysweep.search.schedulers.halving import Halving
from raysweep.search.schedulers.ladder import Rung


def halving(grace: int = 10, last_step: int = 100, **settings) -> Halving:
    usual = {"grace": grace, "reduction_factor": 3, "clock": "steps"}
    return parse(AshaConfig, usual | settings).build(grace, last_step)


def stops(judge: Halving, trial: str, step: int, *score: float) -> bool:
    return judge.report(trial, step, Score(score)) is Advice.STOP


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
    judge = halving(**settings)
    told = [stops(judge, str(trial), 10, score) for trial, score in enumerate(scores)]
    assert "".join("S" if stop else "-" for stop in told) == expected


# (trial, step, score) in order of arrival -> the scores recorded at the rungs of 10, 30 and 90
RECORDS = [
    ("before the first rung nothing counts", [("a", 9, 1)], [{}, {}, {}]),
    ("a report at a rung is its score", [("a", 10, 1), ("a", 30, 2)], [{"a": 1}, {"a": 2}, {}]),
    ("the first score at a rung stands", [("a", 10, 1), ("a", 20, 9)], [{"a": 1}, {}, {}]),
    ("a missed rung lies between its neighbours", [("a", 25, 1), ("a", 35, 2)], [{"a": 1}, {"a": 1.5}, {}]),
    ("and nearer to the nearer", [("a", 10, 1), ("a", 40, 4)], [{"a": 1}, {"a": 3}, {}]),
    ("without an earlier report the later stands", [("a", 95, 7)], [{"a": 7}, {"a": 7}, {"a": 7}]),
    ("several are missed at once", [("a", 10, 0), ("a", 110, 10)], [{"a": 0}, {"a": 2}, {"a": 8}]),
    ("rungs are apart", [("a", 10, 1), ("a", 30, 2), ("b", 10, 3)], [{"a": 1, "b": 3}, {"a": 2}, {}]),
    ("what comes late changes nothing", [("a", 35, 1), ("a", 15, 9), ("a", 35, 9)], [{"a": 1}, {"a": 1}, {}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reports", "expected"), [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS]
)
def test_every_rung_that_was_passed_has_a_score(reports, expected):
    judge = halving(last_step=200)
    for trial, step, score in reports:
        stops(judge, trial, step, score)
    scores = [judge.rungs.scores.get(Rung(step), {}) for step in (10, 30, 90)]
    assert [{trial: score.values[0] for trial, score in each.items()} for each in scores] == expected  # fmt: skip


def test_values_and_violations_lie_on_the_same_line():
    judge = halving()
    judge.report("a", 20, Score((0.0, 8.0), 1.0))
    judge.report("a", 40, Score((4.0, 4.0), 0.0))
    assert judge.rungs.scores[Rung(30)] == {"a": Score((2.0, 6.0), 0.5)}


def test_the_highest_rung_that_was_passed_judges():
    judge = halving(min_peers=1)
    assert not stops(judge, "a", 10, 5)
    assert not stops(judge, "b", 30, 4)  # worse than a at 10, and the first at 30
    assert stops(judge, "c", 35, 3)


def test_a_trial_is_judged_at_a_rung_once():
    judge = halving(min_peers=1)
    assert not stops(judge, "a", 10, 5)
    assert stops(judge, "b", 10, 4)
    assert not stops(judge, "b", 20, 3)


def test_a_trial_that_has_ended_is_not_stopped():
    judge = halving(min_peers=1)
    assert not stops(judge, "a", 100, 5)
    assert not stops(judge, "b", 100, 4)
    judge.enter("c", Course(50, None))
    assert not stops(judge, "c", 50, 1)
    assert stops(judge, "d", 50, 1)


def test_a_longer_trial_has_further_rungs():
    judge = halving(min_peers=1)
    for trial in "ab":
        judge.enter(trial, Course(1000, None))
    assert not stops(judge, "a", 270, 5)
    assert stops(judge, "b", 270, 4)


# the score of a, whose GAN began at 20, and of b, whose did not, at step 30 -> does b stop where a came first?
CLOCKS = [("steps", True), ("phases", False), ("disc_start", False)]


@pytest.mark.parametrize(("clock", "stopped"), CLOCKS)
def test_the_clock_says_who_is_compared(clock, stopped):
    judge = halving(min_peers=1, clock=clock)
    judge.enter("a", Course(100, 20))
    judge.enter("b", Course(100, 60))
    assert not stops(judge, "a", 30, 5)
    assert stops(judge, "b", 30, 4) is stopped


def test_on_the_clock_of_the_gan_equally_long_gans_are_compared():
    judge = halving(min_peers=1, clock="disc_start")
    judge.enter("a", Course(200, 20))
    judge.enter("b", Course(200, 60))
    assert not stops(judge, "a", 50, 5)
    assert stops(judge, "b", 90, 4)


def test_nobody_is_judged_before_its_gan_has_settled():
    judge = halving(min_peers=1, clock="phases", settle=20)
    judge.enter("b", Course(100, 25))
    assert not stops(judge, "b", 10, 6)
    assert not stops(judge, "a", 30, 5)
    assert not stops(judge, "b", 30, 1)
    assert Rung(30, after_gan=True) not in judge.rungs.scores


def test_of_several_goals_the_dominated_stop():
    judge = halving(min_peers=1, reduction_factor=2)
    told = [stops(judge, str(n), 10, *each) for n, each in enumerate([(1, 3), (3, 1), (0, 0), (4, 4)])]  # fmt: skip
    assert told == [False, False, True, False]


def test_what_breaks_a_constraint_stops_first():
    judge = halving(min_peers=1)
    assert judge.report("a", 10, Score((1.0,))) is Advice.GO_ON
    assert judge.report("b", 10, Score((9.0,), 0.5)) is Advice.STOP


def test_the_best_of_those_at_the_end_are_worth_a_later_one():
    finished = {str(trial): Score((float(trial),)) for trial in range(7)}
    assert halving().worthy(finished) == ["6", "5"]
    assert halving().worthy({"0": Score((1.0,))}) == ["0"]


# the end of before -> the rung that those who finished stand at, when runs end at 100
LATER = [(20, None), (30, 30), (90, 90)]


@pytest.mark.parametrize(("before", "rung"), LATER)
def test_an_old_end_that_becomes_a_rung_holds_who_finished_there(before, rung):
    judge, score = halving(last_step=before), Score((1.0,))
    judge.report("a", before, score)
    judge.extend(100, {"a": score})
    assert [place for place, scores in judge.rungs.scores.items() if before == place.milestone] == (
        [] if rung is None else [Rung(rung)]
    )
    assert judge.rungs.usual.last_step == 100
