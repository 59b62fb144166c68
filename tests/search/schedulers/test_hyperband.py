"""Which bracket a trial is dealt to, and that brackets are apart."""

import pytest

from raysweep.schema import parse
from raysweep.search.objective import Score
from raysweep.search.schedulers import Course
from raysweep.search.schedulers.base import Advice
from raysweep.search.schedulers.hyperband import Hyperband, HyperbandConfig
from raysweep.search.schedulers.ladder import Rung


def hyperband(last_step: int = 100, **settings) -> Hyperband:
    usual = {"grace": 10, "reduction_factor": 3, "clock": "steps"}
    return parse(HyperbandConfig, usual | settings).build(10, last_step)


# settings, last step -> trials of each bracket in a round, the rungs of each
BRACKETS = [
    ({}, 100, [27, 12, 6, 4], [[10, 30, 90], [30, 90], [90], []]),
    ({"reduction_factor": 2}, 80, [8, 6, 4, 4], [[10, 20, 40], [20, 40], [40], []]),
    ({}, 10, [1], [[]]),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "last_step", "sizes", "rungs"), BRACKETS)
def test_the_later_a_bracket_begins_the_fewer_trials_it_has(settings, last_step, sizes, rungs):
    judge = hyperband(last_step, **settings)
    assert [judge.deal.count(bracket) for bracket in range(len(sizes))] == sizes
    assert [
        list(bracket.rungs.ladder.rungs(Course(last_step, None)).values())
        for bracket in judge.brackets
    ] == rungs


def test_a_number_is_always_of_the_same_bracket_and_every_few_trials_have_several():
    judge = hyperband()
    assert judge.deal == hyperband().deal
    assert judge.deal[:8] == [0, 1, 0, 2, 0, 3, 0, 1]


def test_trials_of_other_brackets_are_no_peers():
    judge = hyperband(min_peers=1)
    first, other = (judge.deal.index(bracket) for bracket in (0, 1))
    second = judge.deal.index(0, first + 1)
    told = [
        judge.report(f"{trial:04d}", 30, Score((score,)))
        for trial, score in [(first, 5.0), (other, 1.0), (second, 2.0)]
    ]
    assert told == [Advice.GO_ON, Advice.GO_ON, Advice.STOP]


def test_courses_reach_the_bracket():
    judge = hyperband(min_peers=1)
    judge.enter("0000", Course(30, None))
    assert judge.brackets[judge.deal[0]].rungs.courses == {"0000": Course(30, None)}


def test_the_best_of_each_bracket_go_on_and_the_end_of_before_is_a_rung_of_its_own():
    judge = hyperband(last_step=30)
    finished = {f"{number:04d}": Score((float(number),)) for number in range(8)}
    for trial, score in finished.items():
        judge.report(trial, 30, score)
    brackets = {trial: judge.deal[int(trial) % len(judge.deal)] for trial in finished}
    worthy = judge.worthy(finished)
    assert {brackets[trial] for trial in worthy} == set(brackets.values())
    assert len(worthy) < len(finished)
    judge.extend(100, finished)
    first = judge.brackets[0].rungs
    assert set(first.scores[Rung(30)]) == {trial for trial in finished if brackets[trial] == 0}
    assert first.usual.last_step == 100
