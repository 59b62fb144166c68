"""The scores of all trials at the rungs that they passed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from raysweep.search.objective import Score
from raysweep.search.ranking import ahead, best_first
from raysweep.search.schedulers.base import Course, Patient
from raysweep.search.schedulers.ladder import Ladder, LadderConfig, Rung


class Report(NamedTuple):
    step: int
    score: Score


@dataclass
class Rungs:
    ladder: Ladder
    usual: Course
    """Of trials that never entered."""
    scores: dict[Rung, dict[str, Score]] = field(default_factory=dict)
    """By rung and trial, in order of arrival."""
    courses: dict[str, Course] = field(default_factory=dict)
    last: dict[str, Report] = field(default_factory=dict)
    """Each trial's latest."""

    def course(self, trial: str) -> Course:
        return self.courses.get(trial, self.usual)

    def take(self, trial: str, step: int, score: Score) -> Rung | None:
        """Gives every rung that the trial has passed since its last report a score; the highest of them."""
        before, now = self.last.get(trial), Report(step, score)
        since = 0 if before is None else before.step
        passed = {
            rung: place
            for rung, place in self.ladder.rungs(self.course(trial)).items()
            if since < place <= step
        }
        for rung, place in passed.items():
            self.scores.setdefault(rung, {})[trial] = _at(place, before or now, now)
        self.last[trial] = max(before or now, now)
        return list(passed)[-1] if passed else None

    def withdraw(self, trial: str) -> None:
        """As if it had never come."""
        for scores in self.scores.values():
            scores.pop(trial, None)

    def lengthen(self, last_step: int, finished: Mapping[str, Score]) -> None:
        """Trials end at `last_step` from now on: where the end of before becomes a rung, it holds who is there."""
        self.usual = self.usual._replace(last_step=last_step)
        for trial, score in finished.items():
            course = self.course(trial)._replace(last_step=last_step)
            for rung, place in self.ladder.rungs(course).items():
                if place == self.last[trial].step:
                    self.scores.setdefault(rung, {})[trial] = score

    def has_ended(self, trial: str) -> bool:
        """Whether it has reached its last step."""
        return trial in self.last and self.last[trial].step >= self.course(trial).last_step


@dataclass
class OnRungs(Patient):
    """What all kinds of successive halving do."""

    config: LadderConfig
    rungs: Rungs

    def enter(self, trial: str, course: Course) -> None:
        self.rungs.courses[trial] = course

    def worthy(self, finished: Mapping[str, Score]) -> list[str]:
        kept = max(1, int(len(finished) / self.config.reduction_factor))
        return best_first(finished)[:kept]

    def extend(self, last_step: int, finished: Mapping[str, Score]) -> None:
        self.rungs.lengthen(last_step, finished)


def is_leader(trial: str, scores: Mapping[str, Score], factor: float) -> bool:
    """Whether it is of the best 1/factor, which is one at least; equals are so together."""
    return ahead(scores, trial) < max(1, int(len(scores) / factor))


def _at(step: int, before: Report, after: Report) -> Score:
    """On the line between two reports; before the first, the first's score."""
    if step == after.step or before.step == after.step:
        return after.score
    share = (step - before.step) / (after.step - before.step)
    values = (
        a + share * (b - a) for a, b in zip(before.score.values, after.score.values, strict=True)
    )
    violation = before.score.violation + share * (after.score.violation - before.score.violation)
    return Score(tuple(values), violation)
