"""Who is better than whom: one value, several, with constraints and without."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.search.objective import Constraint, Goal, Objective, Score
from raysweep.search.ranking import ahead, best_first, front, improves, ranks

NUMBERS = st.floats(-5, 5).map(lambda value: round(value, 1))

ORDERS = [
    ("one value", {"a": (1,), "b": (3,), "c": (2,)}, {}, "bca"),
    ("equals stay in order", {"a": (1,), "b": (2,), "c": (2,)}, {}, "bca"),
    ("constraints come first", {"a": (9,), "b": (1,), "c": (5,)}, {"a": 0.5, "c": 0.1}, "bca"),
    ("a dominated one is last", {"a": (0, 0), "b": (1, 2), "c": (2, 1)}, {}, "bca"),
    ("the crowded come late", {"a": (0, 4), "b": (2, 2), "c": (2.1, 1.9), "d": (4, 0)}, {}, "adbc"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "violations", "order"), [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])  # fmt: skip
def test_the_order(values, violations, order):
    scores = {name: Score(each, violations.get(name, 0.0)) for name, each in values.items()}
    assert "".join(best_first(scores)) == order


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=25))
def test_no_front_holds_one_that_an_earlier_or_its_own_dominates(points):
    ranked = ranks({number: Score(point) for number, point in enumerate(points)})
    for number, point in enumerate(points):
        better = [
            other
            for other, values in enumerate(points)
            if values != point and (np.array(values) >= np.array(point)).all()
        ]
        assert all(ranked[other].front < ranked[number].front for other in better)
        assert ranked[number].front == max((ranked[other].front + 1 for other in better), default=0)


@given(
    st.integers(1, 3).flatmap(lambda values: st.lists(st.tuples(*[NUMBERS] * values), min_size=1)),
    st.data(),
)
def test_ahead_are_those_of_a_lower_rank(points, data):
    violations = st.sampled_from([0.0, 0.0, 0.1, 0.2])
    scores = {number: Score(point, data.draw(violations)) for number, point in enumerate(points)}
    ranked = ranks(scores)
    for number in scores:
        assert ahead(scores, number) == sum(rank < ranked[number] for rank in ranked.values())


def test_the_front_is_of_those_that_keep_the_constraints():
    scores = {"a": Score((9, 9), 0.1), "b": Score((1, 2)), "c": Score((2, 1)), "d": Score((1, 1))}
    assert front(scores) == ["b", "c"]
    assert front({"a": Score((9,), 0.1)}) == []
    assert front({"a": Score((1,)), "b": Score((2,))}) == ["b"]


A, B = Goal("a", "max"), Goal("b", "min")
BOUND = Constraint("b", 2.0, is_minimum=True)
IMPROVES = [
    (Objective((A,)), {"a": 1}, {}, True),
    (Objective((A,)), {"b": 1}, {}, False),
    (Objective((A,)), {"b": 1}, {"a": 1}, False),
    (Objective((A,)), {"a": 2}, {"a": 1}, True),
    (Objective((A,)), {"a": 1}, {"a": 1}, False),
    (Objective((B,)), {"b": 2}, {"b": 1}, False),
    (Objective((A, B), (1.0, 2.0)), {"a": 4, "b": 1}, {"a": 3, "b": 1}, True),
    (Objective((A, B), (1.0, 2.0)), {"a": 4, "b": 2}, {"a": 3, "b": 1}, False),
    (Objective((A, B)), {"a": 0, "b": 9}, {"a": 1, "b": 1}, True),
    (Objective((A, B)), {"a": 0}, {}, False),
    (Objective((A,), constraints=(BOUND,)), {"a": 9, "b": 1}, {"a": 1, "b": 2}, False),
    (Objective((A,), constraints=(BOUND,)), {"a": 1, "b": 2}, {"a": 9, "b": 1}, True),
    (Objective((A,), constraints=(BOUND,)), {"a": 1, "b": 1}, {"a": 9, "b": 0}, True),
]


@pytest.mark.parametrize(("objective", "metrics", "kept", "improved"), IMPROVES)
def test_what_takes_the_place_of_what_was_kept(objective, metrics, kept, improved):
    assert improves(objective, metrics, kept) is improved


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_what_is_kept_in_the_end_is_the_first(points):
    objective = Objective((A,), constraints=(BOUND,))
    seen, kept = {}, {}
    for number, (a, b) in enumerate(points):
        seen[number] = {"a": a, "b": b}
        if improves(objective, seen[number], kept):
            kept = seen[number]
    scores = {number: objective.score(metrics) for number, metrics in seen.items()}
    assert kept == seen[best_first(scores)[0]]
