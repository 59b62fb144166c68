"""Asynchronous successive halving, the variant that stops (Li et al. 2020, "A System for Massively
Parallel Hyperparameter Tuning", algorithm 2, as decided one report at a time).

Rungs stand at grace, grace * factor, grace * factor^2, ... steps. A trial that reaches a rung goes on if
its score is within the best 1/factor of those recorded there, its own included.
"""

from typing import Literal

from pydantic import Field

from raysweep.schema import Config


class SchedulerConfig(Config):
    kind: Literal["asha", "none"] = "asha"
    """`asha`: as above; `none`: every trial runs to its end."""
    grace: int | None = Field(default=None, ge=1)
    """Steps before a trial can be stopped; None: training.validate_every."""
    reduction_factor: float = Field(default=3.0, gt=1)
    """One in so many trials goes on from each rung."""
    min_peers: int = Field(default=3, ge=1)
    """Scores a rung must hold, the trial's own included, before it stops anything."""


class Rungs:
    """Remembers the score of every trial at every rung it passed, and says who stops."""

    def __init__(self, config: SchedulerConfig, grace: int, last_step: int) -> None:
        self.config, self.milestones = config, _milestones(config, grace, last_step)
        self.scores: dict[int, dict[str, float]] = {step: {} for step in self.milestones}

    def stops(self, trial: str, step: int, score: float) -> bool:
        """Records `score` (higher is better) at the highest rung that `step` has reached."""
        reached = [milestone for milestone in self.milestones if milestone <= step]
        if self.config.kind == "none" or not reached or trial in self.scores[reached[-1]]:
            return False
        rung = self.scores[reached[-1]]
        rung[trial] = score
        if len(rung) < self.config.min_peers:
            return False
        kept = max(1, int(len(rung) / self.config.reduction_factor))
        return score < sorted(rung.values(), reverse=True)[kept - 1]


def _milestones(config: SchedulerConfig, grace: int, last_step: int) -> list[int]:
    steps: list[int] = []
    step = float(grace)
    while round(step) < last_step:
        steps.append(round(step))
        step *= config.reduction_factor
    return steps
