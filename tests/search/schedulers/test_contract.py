"""What every kind of scheduler promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from raysweep.search.objective import Score
from raysweep.search.schedulers import Course, Scheduler, SchedulerConfig
from raysweep.search.schedulers.base import Advice

SCHEDULERS = TypeAdapter(SchedulerConfig)
KINDS = list(SCHEDULERS.json_schema()["discriminator"]["mapping"])


def build(kind: str) -> Scheduler:
    settings = {} if kind == "none" else {"min_peers": 1}
    return SCHEDULERS.validate_python({"kind": kind, **settings}).build(10, 100)


def test_there_is_a_kind_for_each_and_one_is_usual():
    assert sorted(KINDS) == ["asha", "hyperband", "median", "none", "promoting"]
    assert SCHEDULERS.validate_python({"grace": 10}).kind == "asha"


REPORTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 4), st.floats(-9, 9)), max_size=60
)  # trial, validations since its last report, score


def play(judge: Scheduler, reports: list) -> list[object]:
    """Reports of trials, of which every second entered, and all that is advised or promoted."""
    told: list[object] = []
    steps = dict.fromkeys(range(6), 0)
    for number in range(0, 6, 2):
        judge.enter(f"{number:04d}", Course(100, 20 * number))
    for number, validations, score in reports:
        steps[number] += 10 * validations
        told.append(judge.report(f"{number:04d}", min(100, steps[number]), Score((score,))))
        if (trial := judge.promotable(True)) is not None:
            judge.promoted(trial)
            told.append(trial)
    return told


@pytest.mark.parametrize("kind", KINDS)
@given(reports=REPORTS)
def test_the_same_reports_give_the_same_advice_and_state(kind, reports):
    one, other = build(kind), build(kind)
    assert play(one, reports) == play(other, reports)
    assert vars(one) == vars(other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_that_is_the_best_everywhere_runs_through(kind):
    judge = build(kind)
    for step in range(10, 101, 10):
        judge.report("0000", step, Score((1.0,)))
        assert judge.report("0001", step, Score((2.0,))) is Advice.GO_ON


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_stopped_at_its_last_step(kind):
    judge = build(kind)
    for number in range(8):
        assert judge.report(f"{number:04d}", 100, Score((-float(number),))) is Advice.GO_ON


@pytest.mark.parametrize("kind", KINDS)
def test_an_end_may_come_at_any_time(kind):
    judge = build(kind)
    for trial in ("0000", "0001"):
        judge.end(trial)
    assert judge.promotable(False) is None
