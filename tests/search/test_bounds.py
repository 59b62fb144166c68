"""What a space tries, in words."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from raysweep.search.bounds import told

TOLD = [
    (FloatDistribution(0.05, 1.5, log=True), "0.05 to 1.5 (log)"),
    (FloatDistribution(0.2, 0.8, step=0.1), "0.2 to 0.8 by 0.1"),
    (IntDistribution(1, 3), "1 to 3"),
    (IntDistribution(2, 64, log=True), "2 to 64 (log)"),
    (IntDistribution(1000, 200000, step=1000), "1000 to 200000 by 1000"),
    (CategoricalDistribution(["ema", "fsq", "lfq"]), "ema, fsq or lfq"),
    (CategoricalDistribution([True, False]), "True or False"),
    (CategoricalDistribution([0.5]), "0.5"),
]


@pytest.mark.parametrize(("distribution", "expected"), TOLD, ids=str)
def test_bounds_are_told_as_they_are(distribution, expected):
    assert told(distribution) == expected
