"""Asynchronous Hyperband (Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter
Optimization"; Li et al. 2020, section 3.2): brackets of halving that differ in how early they begin.

Bracket b begins at grace x reduction_factor^b, and the last one stops nobody. Each gets about the same steps, so
fewer trials the later it begins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import Literal

from raysweep.search.objective import Score
from raysweep.search.schedulers.base import Advice, Course, Patient, Scheduler
from raysweep.search.schedulers.halving import Halving
from raysweep.search.schedulers.ladder import Ladder, LadderConfig
from raysweep.search.schedulers.rungs import Rungs


class HyperbandConfig(LadderConfig):
    """Several halvings side by side, of which some stop nobody early; a trial's number says which is its own."""

    kind: Literal["hyperband"] = "hyperband"

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        ladder = self.ladder(validate_every, last_step)
        graces = [*ladder.milestones(last_step), last_step]
        brackets = [self._bracket(grace, validate_every, last_step) for grace in graces]
        return Hyperband(brackets, _deal(_sizes(len(graces), ladder)))

    def _bracket(self, grace: int, validate_every: int, last_step: int) -> Halving:
        settings = self.model_copy(update={"grace": grace})
        return Halving(
            settings, Rungs(settings.ladder(validate_every, last_step), Course(last_step, None))
        )


@dataclass
class Hyperband(Patient):
    brackets: list[Halving]
    deal: list[int]
    """The bracket of trial 0, 1, ..., and then from the start again."""

    def enter(self, trial: str, course: Course) -> None:
        self._bracket(trial).enter(trial, course)

    def report(self, trial: str, step: int, score: Score) -> Advice:
        return self._bracket(trial).report(trial, step, score)

    def worthy(self, finished: Mapping[str, Score]) -> list[str]:
        """The best of each bracket."""
        found = (bracket.worthy(ends) for bracket, ends in self._apart(finished) if ends)
        return list(chain.from_iterable(found))

    def extend(self, last_step: int, finished: Mapping[str, Score]) -> None:
        for bracket, ends in self._apart(finished):
            bracket.extend(last_step, ends)

    def _apart(self, scores: Mapping[str, Score]) -> Iterator[tuple[Halving, dict[str, Score]]]:
        for each in self.brackets:
            yield each, {trial: it for trial, it in scores.items() if self._bracket(trial) is each}

    def _bracket(self, trial: str) -> Halving:
        return self.brackets[self.deal[int(trial) % len(self.deal)]]


def _sizes(brackets: int, ladder: Ladder) -> list[int]:
    """Trials of each in a round (Li et al. 2018, algorithm 1, line 3); the first stops earliest and has most."""
    return [ceil(brackets / (left + 1) * ladder.factor**left) for left in reversed(range(brackets))]


def _deal(sizes: list[int]) -> list[int]:
    """One round, each bracket as evenly as can be: the next trial is of the one that is most behind."""
    dealt, order = [0] * len(sizes), list[int]()
    for number in range(1, sum(sizes) + 1):
        behind = [number * size / sum(sizes) - got for size, got in zip(sizes, dealt, strict=True)]
        bracket = behind.index(max(behind))
        dealt[bracket] += 1
        order.append(bracket)
    return order
