"""Whether a search space would suggest values that are given to it."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FixedTrial, create_trial

from raysweep.schema import Tree
from raysweep.search.study import Space


class Unfit(ValueError):
    """The space would not suggest it; the message is a reason in a few words."""


class Answered(NamedTuple):
    """What a space asked for and got."""

    params: Tree
    """By dotted path."""
    extra: Tree
    """Further settings that it returned."""


def answered(space: Space, given: Mapping[str, Any]) -> Answered:
    """The space, run on given values instead of sampled ones; Unfit where one is missing or out of bounds."""

    def check(name: str, distribution: BaseDistribution) -> None:
        if name not in given:
            raise Unfit(f"{name} is missing")
        require_inside(name, given[name], distribution)

    trial = FixedTrial(dict(given))
    extra = watched(space, check)(cast(optuna.Trial, trial))
    return Answered(trial.params, dict(extra or {}))


def watched(space: Space, check: Callable[[str, BaseDistribution], None]) -> Space:
    """The same space, with `check` called on every suggestion before it is made."""

    def run(trial: optuna.Trial) -> Mapping[str, Any] | None:
        with warnings.catch_warnings():
            # Lists among choices hinder storages that nobody uses here.
            warnings.filterwarnings("ignore", "Choices for a categorical", UserWarning)
            return space(cast(optuna.Trial, _Watched(trial, check)))

    return run


def require_inside(name: str, value: Any, distribution: BaseDistribution) -> None:
    """Unfit unless the distribution could give the value."""
    is_number = isinstance(value, int | float)
    if not (is_number or isinstance(distribution, CategoricalDistribution)):
        raise Unfit(f"{name} {value!r} is no number")
    try:
        create_trial(value=0.0, params={name: value}, distributions={name: distribution})
    except ValueError:
        raise Unfit(f"{name} {value!r} is {_outside(distribution)}") from None


def _outside(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return f"none of {', '.join(map(repr, distribution.choices))}"
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    steps = "" if distribution.step in (None, 1) else f" in steps of {distribution.step:g}"
    return f"outside {distribution.low:g} to {distribution.high:g}{steps}"


class _Watched:
    """A trial that is asked only what `check` lets pass."""

    def __init__(self, trial: optuna.Trial, check: Callable[[str, BaseDistribution], None]) -> None:
        self._trial, self._check = trial, check

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial, name)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self._check(name, CategoricalDistribution(choices))
        return self._trial.suggest_categorical(name, choices)

    def suggest_float(self, name: str, *bounds: Any, **how: Any) -> Any:
        self._check(name, FloatDistribution(*bounds, **how))
        return self._trial.suggest_float(name, *bounds, **how)

    def suggest_int(self, name: str, *bounds: Any, **how: Any) -> Any:
        self._check(name, IntDistribution(*bounds, **how))
        return self._trial.suggest_int(name, *bounds, **how)
