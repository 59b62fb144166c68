"""Asynchronous successive halving, the variant that stops (Li et al. 2020, "A System for Massively
Parallel Hyperparameter Tuning", algorithm 2, as decided one report at a time).

Rungs stand at grace, grace * factor, grace * factor^2, ... steps. A trial that reaches a rung goes on if
its score is within the best 1/factor of those recorded there, its own included.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from raysweep.schema import Config
from raysweep.search.objective import Score
from raysweep.search.ranking import best_first, ranks
from raysweep.search.schedulers.base import Advice, Patient, Scheduler


class AshaConfig(Config):
    kind: Literal["asha"] = "asha"
    grace: int | None = Field(default=None, ge=1)
    """Steps before a trial can be stopped; None: training.validate_every."""
    reduction_factor: float = Field(default=3.0, gt=1)
    """One in so many trials goes on from each rung."""
    min_peers: int = Field(default=3, ge=1)
    """Scores a rung must hold, the trial's own included, before it stops anything."""

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        return Halving(self, validate_every, last_step)


class Halving(Patient):
    """Remembers the score of every trial at every rung it passed, and says who stops."""

    def __init__(self, config: AshaConfig, validate_every: int, last_step: int) -> None:
        self.config, self.last_step = config, last_step
        self.grace = config.grace or validate_every
        self.milestones = _milestones(config, self.grace, last_step)
        self.scores: dict[int, dict[str, Score]] = {step: {} for step in self.milestones}

    def report(self, trial: str, step: int, score: Score) -> Advice:
        """Records `score` at the highest rung that `step` has reached."""
        reached = [milestone for milestone in self.milestones if milestone <= step]
        if not reached or trial in self.scores[reached[-1]]:
            return Advice.GO_ON
        rung = self.scores[reached[-1]]
        rung[trial] = score
        if len(rung) < self.config.min_peers:
            return Advice.GO_ON
        kept = max(1, int(len(rung) / self.config.reduction_factor))
        ranked = ranks(rung)
        goes_on = ranked[trial] <= sorted(ranked.values())[kept - 1]
        return Advice.GO_ON if goes_on else Advice.STOP

    def worthy(self, finished: Mapping[str, Score]) -> list[str]:
        kept = max(1, int(len(finished) / self.config.reduction_factor))
        return best_first(finished)[:kept]

    def extend(self, last_step: int, finished: Mapping[str, Score]) -> None:
        """The end of before may have become a rung, where who comes later is judged by `finished`."""
        self.milestones = _milestones(self.config, self.grace, last_step)
        self.scores = {step: self.scores.get(step, {}) for step in self.milestones}
        reached = [milestone for milestone in self.milestones if milestone <= self.last_step]
        if reached:
            self.scores[reached[-1]] = {**finished, **self.scores[reached[-1]]}
        self.last_step = last_step


def _milestones(config: AshaConfig, grace: int, last_step: int) -> list[int]:
    steps: list[int] = []
    step = float(grace)
    while round(step) < last_step:
        steps.append(round(step))
        step *= config.reduction_factor
    return steps
