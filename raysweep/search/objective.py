"""What trials are ranked by: one metric, a weighted sum of several, or several at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal, NamedTuple


class Score(NamedTuple):
    """How good a validation is; ranking.py compares them."""

    values: tuple[float, ...]
    """One for each thing that is maximized: higher is better."""
    violation: float = 0.0
    """How far the constraints are from being kept, at least 0; 0: all are."""


@dataclass(frozen=True)
class Goal:
    """One validation metric and its direction."""

    metric: str
    """Such as `val/psnr`."""
    direction: Literal["max", "min"]

    def value(self, metrics: Mapping[str, float]) -> float | None:
        """Higher is better; None where the metric is absent or not finite."""
        value = metrics.get(self.metric)
        if value is None or not isfinite(value):
            return None
        return value if self.direction == "max" else -value


@dataclass(frozen=True)
class Constraint:
    """A bound that the metrics of a good trial keep."""

    metric: str
    bound: float
    is_minimum: bool
    """Whether the metric may not be lower, instead of higher."""

    def __str__(self) -> str:
        return f"{self.metric} {'>=' if self.is_minimum else '<='} {self.bound:g}"

    def violation(self, metrics: Mapping[str, float]) -> float | None:
        """Distance to the bound in parts of it; 0: kept. None where the metric is absent or not finite."""
        value = metrics.get(self.metric)
        if value is None or not isfinite(value):
            return None
        missing = self.bound - value if self.is_minimum else value - self.bound
        return max(0.0, missing) / (abs(self.bound) or 1.0)


@dataclass(frozen=True)
class Objective:
    """Several goals without weights are a search for the Pareto front."""

    goals: tuple[Goal, ...]
    weights: tuple[float, ...] = ()
    """One for each goal: what is maximized is their weighted sum."""
    constraints: tuple[Constraint, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that a validation must give."""
        bounded = (constraint.metric for constraint in self.constraints)
        return tuple(dict.fromkeys((*(goal.metric for goal in self.goals), *bounded)))

    @property
    def kept_as(self) -> str:
        """What a trial's best checkpoint is called: a metric, `score` of a weighted sum, or `latest` where no
        validation is better than another in all."""
        if self.weights:
            return "score"
        return "latest" if self.is_pareto else self.goals[0].metric

    @property
    def is_pareto(self) -> bool:
        """Whether a trial can be better in one way and worse in another."""
        return len(self.goals) > 1 and not self.weights

    def score(self, metrics: Mapping[str, float]) -> Score | None:
        """None where a metric is absent or not finite."""
        values = [goal.value(metrics) for goal in self.goals]
        violations = [constraint.violation(metrics) for constraint in self.constraints]
        there = [value for value in values if value is not None]
        broken = [violation for violation in violations if violation is not None]
        if len(there) < len(values) or len(broken) < len(violations):
            return None
        if self.weights:
            there = [sum(map(_product, self.weights, there))]
        return Score(tuple(there), sum(broken))

    def broken(self, metrics: Mapping[str, float]) -> tuple[Constraint, ...]:
        """The constraints that metrics with a score do not keep."""
        return tuple(each for each in self.constraints if each.violation(metrics))

    def missing(self, metrics: Mapping[str, float]) -> str:
        """The first metric that is absent or not finite."""
        return next(name for name in self.metrics if not isfinite(metrics.get(name, float("nan"))))


def _product(weight: float, value: float) -> float:
    return weight * value
