"""Two models on the same sources: whether one leads by more than the sources differ."""

from collections.abc import Sequence
from math import nan
from statistics import fmean
from typing import NamedTuple

import numpy as np
from scipy.stats import permutation_test

from raysweep.evaluation.scores import Row, Scores
from raysweep.experiment.confirmed import NOISE, Spread, spread
from raysweep.metrics import METRIC_DIRECTIONS

RESAMPLES = 9999
"""Ways to swap the models on each source that are tried: all of them up to 13 sources, drawn ones above."""


class Versus(NamedTuple):
    """One figure of two models."""

    name: str
    first: float
    second: float
    """On all sources together."""
    paired: Spread
    """Of the second less the first on each source."""
    sources: int
    """That have the figure."""
    p: float
    """Chance of such a mean difference, either way, if the models were alike; NaN of fewer than two sources."""

    @property
    def difference(self) -> float:
        return self.second - self.first

    @property
    def is_noise(self) -> bool:
        return not self.p <= NOISE

    @property
    def least_p(self) -> float:
        """What the largest lead on so few sources would have."""
        return 2 / 2**self.sources

    @property
    def is_never(self) -> bool:
        """Whether no lead on so few sources would be more than noise."""
        return self.least_p > NOISE

    @property
    def leads(self) -> int:
        """0: the first model is better on all sources together, 1: the second."""
        gain = (
            self.difference
            if METRIC_DIRECTIONS[_plain(self.name)] == "higher"
            else -self.difference
        )
        return int(gain > 0)


def versus(first: Scores, second: Scores) -> list[Versus]:
    """The figures that both have."""
    return [
        _compared(name, value, second.figures[name], first.rows, second.rows)
        for name, value in first.figures.items()
        if name in second.figures
    ]


def _compared(
    name: str, first: float, second: float, rows: Sequence[Row], other_rows: Sequence[Row]
) -> Versus:
    gaps = [
        theirs.figures[name] - ours.figures[name]
        for ours, theirs in zip(rows, other_rows, strict=True)
        if name in ours.figures and name in theirs.figures
    ]
    paired = spread(gaps) if gaps else Spread(nan, nan)
    return Versus(name, first, second, paired, len(gaps), _p(gaps))


def _p(gaps: Sequence[float]) -> float:
    """Two-sided sign-flipping: Pitman 1937, "Significance Tests Which May be Applied to Samples from any
    Populations", of paired samples."""
    if len(gaps) < 2:
        return nan
    tested = permutation_test(
        (np.array(gaps),),
        fmean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        alternative="two-sided",
        rng=0,
    )
    return float(tested.pvalue)


def _plain(name: str) -> str:
    return name.split("/level")[0]
