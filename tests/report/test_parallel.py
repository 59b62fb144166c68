"""Axes of parallel coordinates: numbers, ratios, names, and what a trial does not have."""

import pytest

from raysweep.report.parallel import _axis
from raysweep.report.wording import NOTHING

AXES = [
    ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0], ["1", "2", "4"]),
    ([1e-4, 1e-2], [-4.0, -2.0], ["0.0001", "0.01"]),
    ([256, 16384], [2.408, 4.214], ["256", "16,384"]),
    (["fsq", "ema", "fsq"], [1, 0, 1], ["ema", "fsq"]),
    ([True, False], [1, 0], ["false", "true"]),
    (["<b>", None], [0, 1], ["&lt;b&gt;", NOTHING]),
    ([[1, 2], [1, 2, 4]], [1, 0], ["[1, 2, 4]", "[1, 2]"]),
    ([3.0, 3.0], [3.0, 3.0], ["3"]),
]


@pytest.mark.parametrize(("values", "places", "ticks"), AXES)
def test_an_axis(values, places, ticks):
    axis = _axis("<i>", values)
    assert axis["values"] == pytest.approx(places, abs=1e-3)
    assert axis["label"] == "&lt;i&gt;"
    assert axis["ticktext"] == ticks
    low, high = axis["range"]
    assert low < min(axis["values"]) <= max(axis["values"]) < high


def test_a_trial_without_the_number_passes_below_all_others():
    axis = _axis("decay", [0.9, None, 0.99])
    assert axis["values"][1] < min(axis["values"][0], axis["values"][2])
    assert axis["ticktext"][axis["tickvals"].index(axis["values"][1])] == NOTHING
