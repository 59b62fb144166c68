"""Who pauses, and who goes on when, as tables."""

import pytest

from raysweep.schema import parse
from raysweep.search.objective import Score
from raysweep.search.schedulers import Course
from raysweep.search.schedulers.base import Advice
from raysweep.search.schedulers.promoting import Promoting, PromotingConfig


def promoting(last_step: int = 100, **settings) -> Promoting:
    usual = {"grace": 10, "reduction_factor": 3, "clock": "steps"}
    return parse(PromotingConfig, usual | settings).build(10, last_step)


def pauses(judge: Promoting, trial: str, step: int, *score: float) -> bool:
    return judge.report(trial, step, Score(score)) is Advice.PAUSE


# Scores at one rung in order of arrival: trials a, b, ... -> does each pause (P) or go on (-), who is promoted then
AT_ONE_RUNG = [
    ("too few to say", {}, [5, 1], "PP", ""),
    ("the first that comes when they are enough", {}, [1, 2, 5], "PP-", ""),
    ("who is among the best once worse ones have come", {}, [5, 1, 2], "PPP", "a"),
    ("two of six", {}, [5, 4, 1, 1, 1, 1], "PPPPPP", "ab"),
    ("the best first, whenever it came", {}, [4, 5, 1, 1, 1, 1], "PPPPPP", "ba"),
    ("nobody twice", {}, [1, 1, 5, 0, 0, 0], "PP-PPP", "ab"),  # equals go on together
    ("as few peers as asked for", {"min_peers": 1}, [1, 2, 3, 0, 2], "---PP", ""),
    ("half", {"reduction_factor": 2, "min_peers": 2}, [4, 3, 2, 1], "PPPP", "ab"),
]


@pytest.mark.parametrize(
    ("settings", "scores", "told", "promoted"),
    [row[1:] for row in AT_ONE_RUNG],
    ids=[row[0] for row in AT_ONE_RUNG],
)
def test_who_pauses_at_a_rung_and_goes_on(settings, scores, told, promoted):
    judge = promoting(**settings)
    paused = [pauses(judge, name, 10, score) for name, score in zip("abcdef", scores, strict=False)]
    assert "".join("P" if each else "-" for each in paused) == told
    assert drained(judge) == promoted


def drained(judge: Promoting, is_searching: bool = True) -> str:
    """Those that go on, in order."""
    order = ""
    while (trial := judge.promotable(is_searching)) is not None:
        judge.promoted(trial)
        order += trial
    return order


def test_asking_changes_nothing():
    judge = promoting(min_peers=2)
    pauses(judge, "a", 10, 2)
    pauses(judge, "b", 10, 1)
    assert [judge.promotable(True) for _ in range(3)] == ["a"] * 3


def test_who_has_come_furthest_goes_on_first():
    judge = promoting()
    for trial, score in [("a", 9), ("b", 8), ("c", 7)]:
        pauses(judge, trial, 30, score)
    for trial, score in [("d", 3), ("e", 2), ("f", 1)]:
        pauses(judge, trial, 10, score)
    assert [judge.promotable(True), drained(judge)[:1]] == ["a", "a"]


def test_too_few_peers_are_all_there_will_be_once_no_new_trials_come():
    judge = promoting(min_peers=5)
    for trial, score in [("a", 1), ("b", 2)]:
        assert pauses(judge, trial, 10, score)
    assert judge.promotable(is_searching=True) is None
    assert drained(judge, is_searching=False) == "b"


def test_one_always_reaches_its_end_once_no_new_trials_come():
    judge = promoting(min_peers=5)
    for trial, score in [("a", 1), ("b", 2)]:
        pauses(judge, trial, 10, score)
    for step in (30, 90):
        judge.promoted("b")
        assert pauses(judge, "b", step, 1)
        assert judge.promotable(is_searching=False) == "b"


def test_one_that_breaks_off_leaves_its_place_to_the_next():
    judge = promoting(min_peers=2)
    for trial, score in [("a", 3), ("b", 2), ("c", 1)]:
        pauses(judge, trial, 10, score)
    assert drained(judge) == "a"
    judge.end("a")
    assert drained(judge) == "b"


@pytest.mark.parametrize("finishes", [True, False])
def test_one_that_finished_or_was_dismissed_keeps_its_place(finishes):
    judge = promoting(min_peers=2)
    for trial, score in [("a", 3), ("b", 2), ("c", 1)]:
        pauses(judge, trial, 10, score)
    if finishes:
        judge.promoted("a")
        assert not pauses(judge, "a", 100, 3)
    judge.end("a")
    assert judge.promotable(is_searching=False) is None


def test_a_trial_does_not_pause_at_its_last_step():
    judge = promoting()
    judge.enter("a", Course(30, None))
    assert not pauses(judge, "a", 30, 1)


def test_of_several_goals_the_first_front_goes_on():
    judge = promoting(reduction_factor=2, min_peers=4)
    told = [pauses(judge, name, 10, *each) for name, each in zip("abcd", [(1, 3), (3, 1), (0, 0), (0, 1)], strict=True)]  # fmt: skip
    assert (told, drained(judge)) == ([True] * 4, "ab")
