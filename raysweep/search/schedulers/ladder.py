"""Where trials are compared with one another: rungs, by the steps or by what the GAN is doing.

PSNR drops when the discriminator joins, and comes back in part; LPIPS improves, after a moment. So trials before
it and after it are not comparable, nor is one of them in the middle of that.
"""

from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple

from pydantic import Field

from raysweep.schema import Config
from raysweep.search.schedulers.base import Course

GRACES = 5
"""Of which a run has so many: earlier scores say too little of the end (benchmarks/search.py)."""
Clock = Literal["steps", "phases", "disc_start"]


class LadderConfig(Config):
    """What every kind of successive halving has."""

    grace: int | None = Field(default=None, ge=1)
    """Steps of the first rung; None: a fifth of training.steps. The others stand at grace x reduction_factor^k,
    each rounded up to a validation."""
    reduction_factor: float = Field(default=2.0, gt=1)
    """One in so many trials goes on from each rung."""
    min_peers: int = Field(default=3, ge=1)
    """Scores a rung must hold, the trial's own included, before it decides anything."""
    clock: Clock = "phases"
    """Who is compared at a rung. `steps`: all trials. `phases`: those before their GAN began, and those after,
    apart. `disc_start`: the same, and rungs after it are counted from there."""
    settle: int = Field(default=0, ge=0)
    """Steps from the beginning of its GAN in which a trial is not judged."""

    def ladder(self, validate_every: int, last_step: int) -> "Ladder":
        grace = self.grace or ceil(last_step / GRACES)
        return Ladder(grace, self.reduction_factor, validate_every, self.clock, self.settle)


class Rung(NamedTuple):
    """Trials that pass the same one are compared there."""

    milestone: int
    """Steps: of the trial, or of its GAN where the clock counts those."""
    after_gan: bool = False
    """Whether only those whose GAN has begun pass it; never on the clock `steps`."""


@dataclass(frozen=True)
class Ladder:
    grace: int
    factor: float
    validate_every: int
    clock: Clock = "steps"
    settle: int = 0

    def rungs(self, course: Course) -> dict[Rung, int]:
        """Those that a trial passes -> at which of its steps, in order; none at its last, where nothing is left
        to save."""
        gan_from = course.last_step if course.gan_from is None else course.gan_from
        reached = self._placed(course.last_step, gan_from)
        settled = gan_from + self.settle
        return {
            rung: step
            for rung, step in reached.items()
            if step < course.last_step and not gan_from < step < settled
        }

    def milestones(self, last_step: int) -> list[int]:
        """Multiples of validate_every, all apart, before the last step."""
        found: list[int] = []
        step = float(self.grace)
        while (milestone := self._validation(round(step))) < last_step:
            if milestone not in found:
                found.append(milestone)
            step *= self.factor
        return found

    def _placed(self, last_step: int, gan_from: int) -> dict[Rung, int]:
        steps = self.milestones(last_step)
        if self.clock == "steps":
            return {Rung(step): step for step in steps}
        before = {Rung(step): step for step in steps if step <= gan_from}
        if self.clock == "phases":
            return before | {Rung(step, True): step for step in steps if step > gan_from}
        return before | {Rung(step, True): self._validation(gan_from + step) for step in steps}

    def _validation(self, step: int) -> int:
        """The first at or after a step."""
        return ceil(step / self.validate_every) * self.validate_every
