"""Axes of parallel coordinates: numbers, ratios, names, and what a trial does not have."""

import pytest

from raysweep.report.parallel import ABSENT, axis_of, parallel_section
from raysweep.report.wording import NOTHING
from tests.report.sweeps import compared, swept

AXES = [
    ([1.0, 2.0, 5.0], [0.0, 0.25, 1.0], ["1", "2", "5"]),
    ([1e-4, 1e-3, 1e-2], [0.0, 0.5, 1.0], ["0.0001", "0.001", "0.01"]),
    ([16384, 256], [1.0, 0.0], ["16,384", "256"]),
    ([0.0, 1.0, 2, 3, 4, 5, 8], [0, 0.125, 0.25, 0.375, 0.5, 0.625, 1], ["0", "2", "4", "6", "8"]),
    (["fsq", "ema", "fsq"], [1, 0, 1], ["ema", "fsq"]),
    ([True, False], [1, 0], ["false", "true"]),
    ([[1, 2], [1, 2, 4]], [1, 0], ["[1, 2, 4]", "[1, 2]"]),
    ([3.0, 3.0], [0.0, 0.0], ["3"]),
    ([0.9, None, 0.99], [0.0, ABSENT, 1.0], ["0.9", "0.99", NOTHING]),
    (["a", None], [0, ABSENT], ["a", NOTHING]),
    ([None, None], [ABSENT, ABSENT], [NOTHING]),
]


@pytest.mark.parametrize(("values", "places", "ticks"), AXES)
def test_an_axis(values, places, ticks):
    axis = axis_of("some", values)
    assert axis.places == pytest.approx(places)
    assert sorted(axis.ticks.values()) == sorted(ticks)
    assert set(axis.ticks) <= {ABSENT} | {place / 1000 for place in range(1001)}


def test_it_takes_two_trials_that_differ(tmp_path):
    single = compared(swept(tmp_path / "one", trials=1, validations=1))
    assert "It takes two trials" in parallel_section(single).body
