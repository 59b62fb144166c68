"""Asynchronous successive halving, the variant that stops (Li et al. 2020, "A System for Massively
Parallel Hyperparameter Tuning", algorithm 2, as decided one report at a time).

A trial that reaches a rung goes on if its score is within the best 1/factor of those recorded there, its own
included. Of several goals their fronts count (Schmucker et al. 2021, "Multi-objective Asynchronous Successive
Halving").
"""

from typing import Literal

from raysweep.search.objective import Score
from raysweep.search.schedulers.base import Advice, Course, Scheduler
from raysweep.search.schedulers.ladder import LadderConfig
from raysweep.search.schedulers.rungs import OnRungs, Rungs, is_leader


class AshaConfig(LadderConfig):
    """Successive halving that stops whoever is not among the best at a rung."""

    kind: Literal["asha"] = "asha"

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        return Halving(self, Rungs(self.ladder(validate_every, last_step), Course(last_step, None)))


class Halving(OnRungs):
    def report(self, trial: str, step: int, score: Score) -> Advice:
        rung = self.rungs.take(trial, step, score)
        if rung is None or self.rungs.has_ended(trial):
            return Advice.GO_ON
        peers = self.rungs.scores[rung]
        if len(peers) < self.config.min_peers:
            return Advice.GO_ON
        goes_on = is_leader(trial, peers, self.config.reduction_factor)
        return Advice.GO_ON if goes_on else Advice.STOP
