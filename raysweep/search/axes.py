"""Settings as points of a cube: what a model of trials sees of them.

Numbers lie on their (logarithmic) scale. Choices that are all numbers, such as codebook sizes, lie in their order,
equally apart; others are all equally far from one another. A setting that a trial does not have is NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

Array = NDArray[np.float64]


class Axis(Protocol):
    """One setting; `places` are shares of the way along it, 0 to 1."""

    @property
    def is_choice(self) -> bool:
        """Whether it is drawn anew, and not moved a little."""
        ...

    def places(self, values: Sequence[Any]) -> Array: ...

    def value(self, place: float) -> Any: ...

    def snapped(self, places: Array) -> Array:
        """The nearest that stand for a value."""
        ...

    def columns(self, places_N: Array) -> Array:
        """(N, C): how far two rows are apart is how different the settings are, at most 1."""
        ...


@dataclass(frozen=True)
class Number:
    distribution: FloatDistribution | IntDistribution

    @property
    def is_choice(self) -> bool:
        return False

    def places(self, values: Sequence[Any]) -> Array:
        return np.clip(self._shares(np.array(values, dtype=np.float64)), 0, 1)

    def value(self, place: float) -> Any:
        value = float(self._values(np.array(place)))
        return round(value) if isinstance(self.distribution, IntDistribution) else value

    def snapped(self, places: Array) -> Array:
        return self._shares(self._values(places))

    def columns(self, places_N: Array) -> Array:
        return np.nan_to_num(places_N, nan=0.5)[:, None]

    def _shares(self, values: Array) -> Array:
        low, high = self._scaled(np.array([self.distribution.low, self.distribution.high]))
        return np.asarray((self._scaled(values) - low) / (high - low))

    def _values(self, places: Array) -> Array:
        of = self.distribution
        low, high = self._scaled(np.array([of.low, of.high]))
        values = low + places * (high - low)
        values = np.exp(values) if of.log else values
        if of.step is not None:
            values = of.low + np.round((values - of.low) / of.step) * of.step
        return np.asarray(np.clip(values, of.low, of.high))

    def _scaled(self, values: Array) -> Array:
        return np.log(values) if self.distribution.log else np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Choices:
    choices: tuple[Any, ...]
    """From low to high, where they are numbers."""
    is_ordered: bool

    @property
    def is_choice(self) -> bool:
        return True

    def places(self, values: Sequence[Any]) -> Array:
        return np.array([self.choices.index(value) for value in values]) / (len(self.choices) - 1)

    def value(self, place: float) -> Any:
        return self.choices[round(place * (len(self.choices) - 1))]

    def snapped(self, places: Array) -> Array:
        nth = np.minimum(np.floor(places * len(self.choices)), len(self.choices) - 1)
        return np.asarray(nth / (len(self.choices) - 1))

    def columns(self, places_N: Array) -> Array:
        """One of those in order; of others one for each choice."""
        if self.is_ordered:
            return np.nan_to_num(places_N, nan=0.5)[:, None]
        nth = places_N[:, None] * (len(self.choices) - 1)
        return np.isclose(nth, np.arange(len(self.choices))) / np.sqrt(2)


def axis_of(distribution: BaseDistribution) -> Axis:
    match distribution:
        case FloatDistribution() | IntDistribution():
            return Number(distribution)
        case CategoricalDistribution():
            choices = distribution.choices
            is_ordered = all(
                isinstance(c, int | float) and not isinstance(c, bool) for c in choices
            )
            return Choices(tuple(sorted(choices)) if is_ordered else tuple(choices), is_ordered)
    raise AssertionError(distribution)


class Rule(NamedTuple):
    """A setting is asked for where another has certain values."""

    where: int
    """Axis of the other."""
    places: tuple[float, ...]


class Cube:
    """All settings that any trial was asked for, but those with a single value."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        self.distributions = {
            name: distribution
            for trial in trials
            for name, distribution in trial.distributions.items()
            if not distribution.single()
        }
        self.axes = [axis_of(one) for one in self.distributions.values()]
        along = [self._along(axis, trials) for axis in range(len(self.axes))]
        self.points = np.array(along).reshape(len(self.axes), len(trials)).T
        """(trials, axes)"""
        self.rules = self._learnt_rules()
        blocks = [axis.columns(np.zeros(1)).shape[1] for axis in self.axes]
        self.axis_of_column = np.repeat(np.arange(len(self.axes)), blocks)

    def valid(self, points: Array) -> Array:
        """The nearest points that stand for settings, without what would not be asked for."""
        snapped = [axis.snapped(places) for axis, places in zip(self.axes, points.T, strict=True)]
        points = np.stack(snapped, axis=1)
        for axis, rule in self.rules.items():
            is_asked = np.isin(points[:, rule.where].round(9), rule.places)
            points[~is_asked, axis] = np.nan
        return points

    def columns(self, points: Array) -> Array:
        """(N, axes) -> (N, C)"""
        parts = [axis.columns(places) for axis, places in zip(self.axes, points.T, strict=True)]
        return np.concatenate(parts, axis=1)

    def settings(self, point: Array) -> dict[str, Any]:
        named = zip(self.distributions, self.axes, point, strict=True)
        return {name: axis.value(place) for name, axis, place in named if not np.isnan(place)}

    def _along(self, axis: int, trials: Sequence[FrozenTrial]) -> Array:
        """(trials,)"""
        name, known = list(self.distributions.items())[axis]
        has = [trial.distributions.get(name) == known for trial in trials]
        values = [trial.params[name] for trial, it_has in zip(trials, has, strict=True) if it_has]
        places = np.full(len(trials), np.nan)
        places[np.array(has, dtype=bool)] = self.axes[axis].places(values)
        return places

    def _learnt_rules(self) -> dict[int, Rule]:
        """For each setting that some trials lack: the first choice whose values tell these from the others."""
        found: dict[int, Rule] = {}
        has = ~np.isnan(self.points)
        for axis in np.flatnonzero(~has.all(axis=0)):
            for other in range(axis):
                places = self.points[:, other].round(9)
                with_it, without = set(places[has[:, axis]]), set(places[~has[:, axis]])
                if self.axes[other].is_choice and not with_it & without:
                    found[int(axis)] = Rule(other, tuple(with_it))
                    break
        return found
