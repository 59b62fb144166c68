"""The median stopping rule, as tables."""

import pytest

from raysweep.schema import parse
from raysweep.search.objective import Score
from raysweep.search.schedulers.base import Advice
from raysweep.search.schedulers.median import Median, MedianConfig


def median(last_step: int = 100, **settings) -> Median:
    return parse(MedianConfig, settings).build(10, last_step)


def told(judge: Median, trial: str, scores: list) -> str:
    """Of scores at 10, 20, ...: S where it stops."""
    each = (score if isinstance(score, tuple) else (score,) for score in scores)
    advice = [judge.report(trial, 10 * n + 10, Score(values)) for n, values in enumerate(each)]
    return "".join("S" if one is Advice.STOP else "-" for one in advice)


# settings, scores of the others at 10, 20, ..., the trial's own -> does it stop (S) or go on (-)?
RULES = [
    ("two peers stop nobody", {}, [[5, 5]], [1, 1], "--"),
    ("as few as asked for", {"min_peers": 2}, [[5, 5]], [1, 1], "SS"),
    ("never without another", {"min_peers": 1}, [], [1, 1], "--"),
    ("below the median", {}, [[1], [3], [5]], [2], "S"),
    ("at the median", {}, [[1], [3], [5]], [3], "-"),
    ("half of an even number are better", {}, [[1], [5]], [2], "-"),
    ("the best so far counts, as in a dip", {}, [[2, 3], [2, 3]], [4, 0], "--"),
    ("the others' averages count, not their last", {}, [[0, 10], [0, 10]], [1, 5.5], "--"),
    ("and it must reach them", {}, [[0, 10], [0, 10]], [1, 4.5], "-S"),
    ("grace", {"grace": 20}, [[5, 5], [5, 5]], [1, 1], "-S"),
    ("others that have not come so far do not count", {}, [[5], [5], [5, 5]], [6, 4], "--"),
    ("below zero, as of a metric that is minimized", {}, [[-1], [-3], [-5]], [-4], "S"),
    ("several goals: dominated by all", {}, [[(1, 3)], [(3, 1)]], [(0, 0)], "S"),
    ("several goals: of the first front", {}, [[(1, 3)], [(3, 1)]], [(2, 2)], "-"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "others", "own", "expected"),
    [row[1:] for row in RULES],
    ids=[row[0] for row in RULES],
)
def test_who_stops(settings, others, own, expected):
    judge = median(**settings)
    for number, scores in enumerate(others):
        told(judge, str(number), scores)
    assert told(judge, "own", own) == expected


def test_a_trial_that_has_ended_is_not_stopped():
    judge = median(last_step=20, min_peers=2)
    told(judge, "a", [5, 5])
    assert told(judge, "b", [1, 1]) == "S-"
