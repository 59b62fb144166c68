"""The figures of confirmation, against numbers that can be counted by hand."""

from itertools import permutations
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.experiment.confirmed import confirmed, lead, permutation_p, spread
from raysweep.experiment.records import TrialRecord
from raysweep.search.objective import Constraint, Goal, Objective
from tests.fakes import PSNR

GOALS = (Goal("val/psnr", "max"), Goal("val/lpips", "min"))
SIX = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

# scores of the first, of the second -> p: how many of the hands that could be dealt are as good
DEALT = [
    ([6, 7, 8, 9, 10], [1, 2, 3, 4, 5], 1 / 252),
    ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 1),
    ([5, 7, 8, 9, 10], [1, 2, 3, 4, 6], 2 / 252),
    ([3, 4], [1, 2], 1 / 6),
    ([2, 4], [1, 3], 2 / 6),
    ([1, 1, 1], [1, 1, 1], 1),
    ([0.3], [0.1], 1 / 2),
    ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1], 14 / 20),
    ([9], [1, 2, 3], 1 / 4),
]


@pytest.mark.parametrize(("first", "second", "expected"), DEALT)
def test_p_is_the_share_of_hands_that_are_as_good(first, second, expected):
    assert permutation_p(first, second) == pytest.approx(expected)


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6))
def test_p_is_what_all_orders_of_the_values_give(values):
    first = sum(values[:3])
    orders = [sum(order[:3]) >= first for order in permutations(values)]
    assert permutation_p(values[:3], values[3:]) == pytest.approx(sum(orders) / len(orders))


@given(st.permutations(SIX), st.floats(-100, 100), st.floats(0.01, 100))
def test_p_depends_on_order_alone_not_on_unit_or_zero(values, zero, unit):
    moved = [zero + unit * value for value in values]
    p = permutation_p(values[:3], values[3:])
    assert permutation_p(moved[:3], moved[3:]) == p
    assert 1 / 20 <= p <= 1


SPREADS = [([2.0, 4.0], 3.0, 2**0.5), ([1.0, 1.0, 1.0], 1.0, 0.0), ([5.0], 5.0, nan)]


@pytest.mark.parametrize(("values", "mean", "deviation"), SPREADS)
def test_a_spread_is_that_of_a_sample(values, mean, deviation):
    assert spread(values) == pytest.approx((mean, deviation), nan_ok=True)


def seed_of(of: str, psnr: float, lpips: float = 0.5) -> TrialRecord:
    record = TrialRecord("0009", f"confirm {of}", {}, {}, "finished")
    record.tested = {"test/psnr": psnr, "test/lpips": lpips}
    return record


RECORDS = [
    seed_of("0001", 20, 0.1),
    seed_of("0002", 25, 0.4),
    seed_of("0001", 22, 0.1),
    seed_of("0002", 21, 0.4),
    seed_of("0003", 21, 0.7),
    TrialRecord("0007", "confirm 0003", {}, {}, "diverged"),
    TrialRecord("0008", "confirm 0004", {}, {}, "failed"),
    TrialRecord("0001", "space", {}, {}, "finished"),
]
# by what -> finalists in order
ORDERS = [
    (PSNR, ["0002", "0001", "0003"]),
    (Objective(GOALS[1:]), ["0001", "0002", "0003"]),
    (Objective(GOALS, (1.0, 100.0)), ["0001", "0002", "0003"]),
    (Objective(GOALS[:1], (), (Constraint("val/lpips", 0.2, False),)), ["0001", "0002", "0003"]),
]


@pytest.mark.parametrize(("objective", "order"), ORDERS)
def test_the_best_mean_on_the_test_split_stands_first(objective, order):
    assert [row.trial for row in confirmed(RECORDS, objective)] == order


def test_a_row_has_the_figures_of_all_seeds_that_were_tested():
    rows = {row.trial: row for row in confirmed(RECORDS, PSNR)}
    assert rows["0002"].figures == {"val/psnr": pytest.approx((23, 8**0.5))}
    assert len(rows["0003"].scores) == 1
    assert isnan(rows["0003"].figures["val/psnr"].deviation)


def test_a_lead_of_few_seeds_is_noise_and_says_so():
    first, second, _ = confirmed(RECORDS, PSNR)
    found = lead(first, second)
    assert (found.p, found.least_p) == (pytest.approx(2 / 6), pytest.approx(1 / 6))
    assert found.is_noise
    assert found.is_never


def test_a_clear_lead_of_five_seeds_is_more_than_noise():
    records = [
        seed_of(of, psnr + seed / 10) for of, psnr in (("a", 20), ("b", 21)) for seed in range(5)
    ]
    rows = confirmed(records, PSNR)
    found = lead(*rows)
    assert rows[0].trial == "b"
    assert found.p == pytest.approx(1 / 252)
    assert not found.is_noise
    assert not found.is_never
