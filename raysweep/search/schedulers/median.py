"""The median stopping rule (Golovin et al. 2017, "Google Vizier: A Service for Black-Box Optimization", 3.2.2):
a trial stops when its best score so far is below the median of the others' averages up to the same step.

Of several goals, the best of a trial's own scores and the order of the others are those of ranking.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from raysweep.schema import Config
from raysweep.search.objective import Score
from raysweep.search.ranking import best_first, ranks
from raysweep.search.schedulers.base import Advice, Course, Patient, Scheduler


class MedianConfig(Config):
    """Stops a trial whose best score is below the median of the others' averages so far."""

    kind: Literal["median"] = "median"
    grace: int | None = Field(default=None, ge=1)
    """Steps before a trial can be stopped; None: training.validate_every."""
    min_peers: int = Field(default=3, ge=1)
    """Trials that must have reported at a step, the trial itself included, before one is stopped there."""

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        return Median(self.grace or validate_every, self.min_peers, last_step)


@dataclass
class Median(Patient):
    grace: int
    """Steps."""
    min_peers: int
    usual_last_step: int
    last_steps: dict[str, int] = field(default_factory=dict)
    scores: dict[str, list[Score]] = field(default_factory=dict)
    """Of each trial, in order of steps."""
    averages: dict[int, dict[str, Score]] = field(default_factory=dict)
    """By step: of the scores of each trial that reported there, up to then."""

    def enter(self, trial: str, course: Course) -> None:
        self.last_steps[trial] = course.last_step

    def report(self, trial: str, step: int, score: Score) -> Advice:
        own = self.scores.setdefault(trial, [])
        own.append(score)
        at_step = self.averages.setdefault(step, {})
        at_step[trial] = _mean(own)
        is_early = step < self.grace or len(at_step) < max(2, self.min_peers)
        if is_early or step >= self.last_steps.get(trial, self.usual_last_step):
            return Advice.GO_ON
        return Advice.STOP if self._is_below(trial, at_step) else Advice.GO_ON

    def _is_below(self, trial: str, averages: dict[str, Score]) -> bool:
        """Whether more than half of the others are better on average than the trial at its best."""
        ranked = ranks(averages | {trial: _best(self.scores[trial])})
        own = ranked[trial]
        better = sum(ranked[other][:2] < own[:2] for other in averages)  # of a front none is worse
        return better > (len(averages) - 1) / 2


def _best(scores: Sequence[Score]) -> Score:
    return scores[best_first(dict(enumerate(scores)))[0]]


def _mean(scores: Sequence[Score]) -> Score:
    values = (
        sum(each) / len(scores) for each in zip(*(score.values for score in scores), strict=True)
    )
    return Score(tuple(values), sum(score.violation for score in scores) / len(scores))
