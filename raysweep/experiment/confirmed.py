"""What confirmation found: each finalist's scores on the test split, over seeds, and whether the first leads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, fsum, nan
from statistics import fmean, stdev
from typing import NamedTuple

from raysweep.experiment.records import TrialRecord, confirming
from raysweep.search.objective import Objective, Score
from raysweep.search.ranking import best_first

NOISE = 0.05
"""A lead that comes about by chance more often than this is within noise."""
ROUNDING = 1e-12
"""Of the scores' size: sums of the same numbers in another order differ by less."""


class Spread(NamedTuple):
    mean: float
    deviation: float
    """Sample standard deviation (n - 1); NaN of fewer than two."""


@dataclass(frozen=True)
class Confirmed:
    """A finalist on the test split."""

    trial: str
    """Of the search."""
    scores: Sequence[Score]
    """One for each seed that was trained to its end and tested."""
    figures: Mapping[str, Spread]
    """Of the objective's metrics, named as on validation (`val/psnr`)."""

    @property
    def mean_score(self) -> Score:
        values = zip(*(score.values for score in self.scores), strict=True)
        return Score(tuple(map(fmean, values)), fmean(score.violation for score in self.scores))

    @property
    def spread(self) -> Spread:
        """Of the objective's value, of which there is one."""
        return spread([score.values[0] for score in self.scores])


class Lead(NamedTuple):
    """Of the first over the second."""

    p: float
    """Chance of such a lead if seeds were all that told the two apart."""
    least_p: float
    """What the largest lead of so few seeds would have."""

    @property
    def is_noise(self) -> bool:
        return self.p > NOISE

    @property
    def is_never(self) -> bool:
        """Whether no lead of so few seeds would be more than noise."""
        return self.least_p > NOISE


def confirmed(trials: Iterable[TrialRecord], objective: Objective) -> list[Confirmed]:
    """Best first by the mean over seeds; finalists without a tested seed are left out."""
    rows = {trial: _row(trial, seeds, objective) for trial, seeds in confirming(trials).items()}
    means = {trial: row.mean_score for trial, row in rows.items() if row.scores}
    return [rows[trial] for trial in best_first(means)]


def lead(first: Confirmed, second: Confirmed) -> Lead:
    """By the objective's value, of which there is one."""
    ours, theirs = ([score.values[0] for score in row.scores] for row in (first, second))
    return Lead(permutation_p(ours, theirs), 1 / comb(len(ours) + len(theirs), len(ours)))


def permutation_p(first: Sequence[float], second: Sequence[float]) -> float:
    """One-sided: the share of all ways to deal the values out anew in which the first mean is as high.

    Exact, and without an assumption on how scores are distributed: Pitman 1937, "Significance Tests Which May
    be Applied to Samples from any Populations".
    """
    values = [*first, *second]
    least = fsum(first) - ROUNDING * fsum(map(abs, values))
    dealt = [fsum(hand) >= least for hand in combinations(values, len(first))]
    return sum(dealt) / len(dealt)


def spread(values: Sequence[float]) -> Spread:
    return Spread(fmean(values), stdev(values) if len(values) > 1 else nan)


def _row(trial: str, seeds: Iterable[TrialRecord], objective: Objective) -> Confirmed:
    tested = [_as_validation(record.tested) for record in seeds if record.tested]
    scored = [(metrics, objective.score(metrics)) for metrics in tested]
    whole = [metrics for metrics, score in scored if score is not None]
    figures = {
        name: spread([metrics[name] for metrics in whole]) for name in objective.metrics if whole
    }
    return Confirmed(trial, [score for _, score in scored if score is not None], figures)


def _as_validation(tested: Mapping[str, float]) -> dict[str, float]:
    return {name.replace("test/", "val/", 1): value for name, value in tested.items()}
