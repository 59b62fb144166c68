"""Who is better: one order for scores with one value or several, with constraints or none.

Trials that keep the constraints come before those that do not (Deb et al. 2002, "A Fast and Elitist
Multiobjective Genetic Algorithm: NSGA-II", constrained domination). Of several values the fronts count: a score
is in the first when no other is at least as good in all of them and better in one; within a front, the less
crowded come first.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from raysweep.search.objective import Score

Name = TypeVar("Name")


class Rank(NamedTuple):
    """Lower is better; equal for scores that nothing tells apart."""

    violation: float
    front: float
    """For one value: the value itself, negative."""
    crowding: float
    """Negative: how far the neighbours in the front are."""


def ranks(scores: Mapping[Name, Score]) -> dict[Name, Rank]:
    """The rank of each among all."""
    kept = [name for name, score in scores.items() if score.violation == 0]
    ranked = dict(zip(kept, _fronts([scores[name].values for name in kept]), strict=True))
    return {
        name: ranked.get(name, Rank(score.violation, 0.0, 0.0)) for name, score in scores.items()
    }


def best_first(scores: Mapping[Name, Score]) -> list[Name]:
    ranked = ranks(scores)
    return sorted(scores, key=lambda name: ranked[name])


def ahead(scores: Mapping[Name, Score], name: Name) -> int:
    """How many are better than it."""
    own = scores[name]
    if len(own.values) > 1:
        ranked = ranks(scores)
        return sum(rank < ranked[name] for rank in ranked.values())
    if own.violation > 0:
        return sum(score.violation < own.violation for score in scores.values())
    return sum(score.violation == 0 and score.values > own.values for score in scores.values())


def front(scores: Mapping[Name, Score]) -> list[Name]:
    """Those that keep the constraints and that no other dominates."""
    ranked, single = ranks(scores), [name for name in scores if not scores[name].violation]
    best = min((ranked[name].front for name in single), default=0.0)
    return [name for name in single if ranked[name].front == best]


def _fronts(values: Sequence[tuple[float, ...]]) -> list[Rank]:
    if not values or len(values[0]) == 1:
        return [Rank(0.0, -value, 0.0) for (value,) in values]
    points = np.array(values)
    dominates = _dominates(points)
    dominators = dominates.sum(0)
    found, crowding, number = np.full(len(points), -1), np.zeros(len(points)), 0
    while (found < 0).any():
        first = np.flatnonzero((found < 0) & (dominators == 0))
        found[first], crowding[first] = number, _crowding(points[first])
        dominators -= dominates[first].sum(0)
        number += 1
    return [Rank(0.0, float(f), -float(c)) for f, c in zip(found, crowding, strict=True)]


def _dominates(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N, values) -> (N, N): whether the row's is at least as good as the column's in all values and better in
    one."""
    as_good = (points[:, None] >= points[None]).all(-1)
    better = (points[:, None] > points[None]).any(-1)
    return np.asarray(as_good & better)


def _crowding(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of one front: the sides of the box between a point's neighbours, in parts of the front's; the outermost
    are infinitely far."""
    distance = np.zeros(len(points))
    for values in points.T:
        order = np.argsort(values, kind="stable")
        extent = values[order[-1]] - values[order[0]]
        distance[order[[0, -1]]] = np.inf
        if extent > 0:
            distance[order[1:-1]] += (values[order[2:]] - values[order[:-2]]) / extent
    return distance
