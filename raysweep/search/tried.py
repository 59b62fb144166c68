"""Which settings were tried: none runs twice, and a space that is exhausted is known to be.

The discrete choices that a space asks for first are a tree, conditional ones too: a branch is spent when all
that the space asks for beyond it were tried. Beyond a continuum nothing is ever spent.
"""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from raysweep.search.asking import Choice, Choose

COUNTABLE = 10_000
"""Values of one parameter beyond which it counts as a continuum."""


class _Node:
    """What follows the choices above it."""

    def __init__(self) -> None:
        self.count = inf
        """Values of the parameter that is asked for here; unknown: infinitely many."""
        self.branches: dict[float, _Node] = {}
        self.spent = 0
        """Branches that are spent."""

    @property
    def is_spent(self) -> bool:
        return self.spent >= self.count

    def open_places(self) -> list[int]:
        """Of values that are not spent."""
        spent = {place for place, branch in self.branches.items() if branch.is_spent}
        return [place for place in range(int(self.count)) if place not in spent]


class Tried:
    """Grows with each trial."""

    def __init__(self) -> None:
        self.root = _Node()
        self._seen: set[tuple[float, ...]] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, choices: Sequence[Choice]) -> bool:
        return _places(choices) in self._seen

    @property
    def is_exhausted(self) -> bool:
        """Whether the space has no other settings."""
        return self.root.is_spent

    def add(self, choices: Sequence[Choice]) -> None:
        if choices in self:
            return
        self._seen.add(_places(choices))
        path, node = [self.root], self.root
        for choice in choices:
            node.count = count(choice.distribution)
            if node.count == inf:
                return
            node = node.branches.setdefault(place_of(choice.distribution, choice.value), _Node())
            path.append(node)
        node.count = 0
        for parent, child in zip(path[-2::-1], path[:0:-1], strict=True):
            if not child.is_spent:
                return
            parent.spent += 1


class Untried:
    """Chooses, at random, settings that were not tried; `otherwise` chooses from a continuum and beyond."""

    def __init__(self, tried: Tried, seed: int, otherwise: Choose) -> None:
        self._node: _Node | None = tried.root
        self._random, self._otherwise = np.random.default_rng(seed), otherwise

    def __call__(self, name: str, distribution: BaseDistribution) -> Any:
        number = count(distribution)
        if number == inf:
            self._node = None
            return self._otherwise(name, distribution)
        is_known = self._node is not None and self._node.branches
        places = self._node.open_places() if self._node and is_known else range(int(number))
        place = int(self._random.choice(places))
        self._node = self._node.branches.get(place) if self._node else None
        return value_at(distribution, place)


def count(distribution: BaseDistribution) -> float:
    """Values that it has; infinitely many: a continuum, or more than COUNTABLE."""
    if distribution.single():
        return 1
    match distribution:
        case CategoricalDistribution():
            return len(distribution.choices)
        case IntDistribution() | FloatDistribution(step=float()):
            number = round((distribution.high - distribution.low) / (distribution.step or 1)) + 1
            return number if number <= COUNTABLE else inf
    return inf


def place_of(distribution: BaseDistribution, value: Any) -> float:
    """Which of its values that is; the value itself in a continuum."""
    match distribution:
        case CategoricalDistribution():
            return distribution.to_internal_repr(value)
        case IntDistribution() | FloatDistribution(step=float()):
            return round((value - distribution.low) / (distribution.step or 1))
    return float(value)


def value_at(distribution: BaseDistribution, place: int) -> Any:
    """Of its values; 0: the first."""
    match distribution:
        case CategoricalDistribution():
            return distribution.choices[place]
        case IntDistribution():
            return distribution.low + place * distribution.step
        case FloatDistribution():
            return min(distribution.high, distribution.low + place * (distribution.step or 0))
    raise AssertionError(distribution)


def _places(choices: Sequence[Choice]) -> tuple[float, ...]:
    return tuple(place_of(choice.distribution, choice.value) for choice in choices)
