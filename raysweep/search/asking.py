"""What a space calls `trial`: it is told values, and what it asked for is written down."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Choose = Callable[[str, BaseDistribution], Any]
"""A parameter's path and its distribution -> a value."""


class Choice(NamedTuple):
    name: str
    distribution: BaseDistribution
    value: Any


class Asked:
    """Gives the suggestions of an optuna.Trial, by `choose`, or as pinned where that can be told."""

    def __init__(self, number: int, choose: Choose, pinned: Mapping[str, Any]) -> None:
        self.number = number
        self.choices: list[Choice] = []
        """Those that were free, in the order asked for."""
        self.params: dict[str, Any] = {}
        self.distributions: dict[str, BaseDistribution] = {}
        self._choose, self._pinned = choose, pinned

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> Any:
        return self._suggest(name, FloatDistribution(low, high, log=log, step=step))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> Any:
        return self._suggest(name, IntDistribution(low, high, log=log, step=step))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        is_told = self._pinned.get(name) in choices
        return self._suggest(name, CategoricalDistribution(choices), is_told)

    def _suggest(self, name: str, distribution: BaseDistribution, is_told: bool = True) -> Any:
        if name not in self.params:
            if name in self._pinned and is_told:
                distribution = CategoricalDistribution([self._pinned[name]])
                self.params[name] = self._pinned[name]
            else:
                self.params[name] = self._choose(name, distribution)
                self.choices.append(Choice(name, distribution, self.params[name]))
            self.distributions[name] = distribution
        return self.params[name]
