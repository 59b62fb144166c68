"""Settings as points: there and back, and which of them go together."""

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from raysweep.search.axes import Cube, axis_of

DISTRIBUTIONS = [
    FloatDistribution(-1, 3),
    FloatDistribution(1e-5, 1e-2, log=True),
    FloatDistribution(0, 1, step=0.25),
    IntDistribution(1, 9, step=2),
    IntDistribution(1, 1000, log=True),
    CategoricalDistribution([4096, 256, 1024]),
    CategoricalDistribution(["ema", "gradient"]),
    CategoricalDistribution([True, False, None]),
]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
@given(place=st.floats(0, 1))
def test_a_place_and_its_value_stand_for_each_other(distribution, place):
    axis = axis_of(distribution)
    snapped = float(axis.snapped(np.array([place]))[0])
    value = axis.value(snapped)
    assert distribution._contains(distribution.to_internal_repr(value))
    assert axis.places([value])[0] == pytest.approx(snapped, abs=1e-9)


# choices, two of them -> their squared distance
APART = [
    ([256, 1024, 4096], 256, 1024, 0.25),
    ([256, 1024, 4096], 256, 4096, 1.0),
    (["a", "b", "c"], "a", "b", 1.0),
    (["a", "b", "c"], "a", "c", 1.0),
    ([True, False], True, False, 1.0),
]


@pytest.mark.parametrize(("choices", "one", "other", "squared"), APART)
def test_numbers_lie_in_order_and_other_choices_equally_apart(choices, one, other, squared):
    axis = axis_of(CategoricalDistribution(choices))
    a, b = axis.columns(axis.places([one, other]))
    assert ((a - b) ** 2).sum() == pytest.approx(squared)


def trial_of(**params) -> optuna.trial.FrozenTrial:
    known = {"kind": DISTRIBUTIONS[6], "decay": FloatDistribution(0.9, 0.999)}
    distributions = {name: known[name] for name in params}
    return create_trial(value=0.0, params=params, distributions=distributions)


def test_what_goes_with_a_choice_is_left_out_with_others():
    cube = Cube([trial_of(kind="ema", decay=0.95), trial_of(kind="gradient")])
    points = cube.valid(np.array([[0.1, 0.5], [0.9, 0.5]]))
    assert set(cube.settings(points[0])) == {"kind", "decay"}
    assert cube.settings(points[1]) == {"kind": "gradient"}
