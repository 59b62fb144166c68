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

from raysweep.search.objective import Objective, Score

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


def improves(objective: Objective, metrics: Mapping[str, float], kept: Mapping[str, float]) -> bool:
    """Whether `metrics` are to be kept instead of what was `kept` before, which is empty where nothing was.

    Of several goals the latest count.
    """
    new, old = objective.score(metrics), objective.score(kept)
    if new is None or old is None or objective.is_pareto:
        return new is not None
    ranked = ranks({"new": new, "old": old})
    return ranked["new"] < ranked["old"]


def _fronts(values: Sequence[tuple[float, ...]]) -> list[Rank]:
    if not values or len(values[0]) == 1:
        return [Rank(0.0, -value, 0.0) for (value,) in values]
    points = np.array(values)
    found = _front_numbers(points)
    crowding = np.zeros(len(points))
    for each in range(found.max() + 1):
        crowding[found == each] = _crowding(points[found == each])
    return [Rank(0.0, float(f), -float(c)) for f, c in zip(found, crowding, strict=True)]


def _front_numbers(points: NDArray[np.float64]) -> NDArray[np.int_]:
    """(N, values) -> (N,): a point's front is the one after the last that holds a point which dominates it.

    From the highest on, each is dominated by earlier ones alone.
    """
    order = np.lexsort(-points.T[::-1])
    ordered, numbers = points[order].T.copy(), np.zeros(len(points), dtype=int)
    for place in range(1, len(points)):
        earlier, point = ordered[:, :place], ordered[:, place, None]
        dominate = (earlier >= point).all(0) & (earlier > point).any(0)
        numbers[place] = numbers[:place].max(initial=-1, where=dominate) + 1
    found = np.empty_like(numbers)
    found[order] = numbers
    return found


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
