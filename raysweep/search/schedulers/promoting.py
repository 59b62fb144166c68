"""Asynchronous successive halving, the variant that promotes (Li et al. 2020, "A System for Massively Parallel
Hyperparameter Tuning", algorithm 2).

A trial pauses at each rung unless it is among the best 1/factor there. One that becomes that later, because worse
ones have come, goes on then. So nobody is lost who came early, and a worker does what is worth most.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from raysweep.search.objective import Score
from raysweep.search.ranking import best_first
from raysweep.search.schedulers.base import Advice, Course, Scheduler
from raysweep.search.schedulers.ladder import LadderConfig, Rung
from raysweep.search.schedulers.rungs import OnRungs, Rungs, is_leader


class PromotingConfig(LadderConfig):
    """Successive halving that pauses whoever is not among the best at a rung, and lets them go on once they are."""

    kind: Literal["promoting"] = "promoting"

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        return Promoting(
            self, Rungs(self.ladder(validate_every, last_step), Course(last_step, None))
        )


@dataclass
class Promoting(OnRungs):
    paused: dict[str, Rung] = field(default_factory=dict)
    """Where each stands."""

    def report(self, trial: str, step: int, score: Score) -> Advice:
        rung = self.rungs.take(trial, step, score)
        if rung is None or self.rungs.has_ended(trial):
            return Advice.GO_ON
        if self._has_earned(trial, rung, is_searching=True):
            return Advice.GO_ON
        self.paused[trial] = rung
        return Advice.PAUSE

    def end(self, trial: str) -> None:
        """One that broke off while it ran holds no place that another could have."""
        was_paused = self.paused.pop(trial, None) is not None
        if not was_paused and not self.rungs.has_ended(trial):
            self.rungs.withdraw(trial)

    def promotable(self, is_searching: bool) -> str | None:
        """The one that has come furthest; of those, the best of its rung."""
        firsts = list(self._firsts(is_searching))
        return max(firsts, key=lambda trial: self.rungs.last[trial].step, default=None)

    def promoted(self, trial: str) -> None:
        del self.paused[trial]

    def _firsts(self, is_searching: bool) -> Iterator[str]:
        """The best paused trial of each rung, where it has earned to go on."""
        for rung in dict.fromkeys(self.paused.values()):
            order = best_first(self.rungs.scores[rung])
            first = next(trial for trial in order if self.paused.get(trial) == rung)
            if self._has_earned(first, rung, is_searching):
                yield first

    def _has_earned(self, trial: str, rung: Rung, is_searching: bool) -> bool:
        """Once no new trials come, too few peers are all that there will be."""
        peers = self.rungs.scores[rung]
        are_enough = len(peers) >= self.config.min_peers or not is_searching
        return are_enough and is_leader(trial, peers, self.config.reduction_factor)
