"""A sweep played in simulated time: workers train what a method proposes, until a budget of steps is spent."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from math import isfinite
from typing import NamedTuple, Protocol

from searching.curves import STEPS, VALIDATE_EVERY, Run, World
from searching.space import Settings
from searching.yardstick import Yardstick, yardstick

TARGET = 0.95
"""Share of the gap between the median random trial and the optimum."""


class Asked(NamedTuple):
    trial: str
    settings: Settings


class Method(Protocol):
    def propose(self) -> Asked | None:
        """The next trial for a free worker; one that was stopped goes on from the step where it stood."""

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Hears of one validation; whether the trial goes on."""

    def end(self, trial: str) -> None:
        """The trial has left its worker: after its last step, or because it did not go on."""


class Outcome(NamedTuple):
    steps: int
    """Spent by all workers."""
    trials: int
    finished: int
    to_target: int | None
    """Steps spent when the pick first reached the target; None: it never did."""
    regret: float
    """Of the last pick: share of the gap that is left; 1, a random trial's, where nothing finished."""


@dataclass
class Trial:
    run: Run
    step: int = 0
    is_running: bool = False


@dataclass
class Pick:
    """The finished trial with the best last validation, which is what a sweep hands over."""

    world: World
    yardstick: Yardstick
    finished: int = 0
    observed: float = -float("inf")
    closed: float = 0.0
    """What it has in truth closed of the gap."""
    to_target: int | None = None

    def consider(self, run: Run, score: float, spent: int) -> None:
        self.finished += 1
        if isfinite(score) and score > self.observed:
            self.observed = score
            self.closed = self.yardstick.closed(self.world.final(run.settings))
        if self.to_target is None and self.closed >= TARGET:
            self.to_target = spent


@dataclass
class Game:
    """Steps are spent when an interval between validations begins: a worker is paid in advance."""

    method: Method
    world: World
    workers: int
    budget: int
    """Steps."""
    pick: Pick
    spent: int = 0
    trials: dict[str, Trial] = field(default_factory=dict)
    due: list[tuple[float, int, str]] = field(default_factory=list)
    """Validations to come: when, and in order of beginning where two come at once."""
    begun: count = field(default_factory=count)

    def play(self) -> None:
        self._fill(0.0)
        while self.due:
            now, _, trial = heapq.heappop(self.due)
            if self._goes_on(trial) and self._is_affordable:
                self._begin(trial, now)
            else:
                self._fill(now)

    @property
    def _is_affordable(self) -> bool:
        return self.spent + VALIDATE_EVERY <= self.budget

    def _fill(self, now: float) -> None:
        while len(self.due) < self.workers and self._is_affordable:
            asked = self.method.propose()
            if asked is None:
                return
            if asked.trial not in self.trials:
                self.trials[asked.trial] = Trial(self.world.run(len(self.trials), asked.settings))
            trial = self.trials[asked.trial]
            assert not trial.is_running
            assert trial.step < STEPS
            trial.is_running = True
            self._begin(asked.trial, now)

    def _begin(self, name: str, now: float) -> None:
        self.spent += VALIDATE_EVERY
        seconds = VALIDATE_EVERY * self.trials[name].run.step_seconds
        heapq.heappush(self.due, (now + seconds, next(self.begun), name))

    def _goes_on(self, name: str) -> bool:
        trial = self.trials[name]
        trial.step += VALIDATE_EVERY
        metrics = trial.run.metrics(trial.step)
        trial.is_running = self.method.report(name, trial.step, metrics) and trial.step < STEPS
        if trial.step == STEPS:
            score = self.world.kind.sign * metrics[self.world.kind.metric]
            self.pick.consider(trial.run, score, self.spent)
        if not trial.is_running:
            self.method.end(name)
        return trial.is_running


def play(method: Method, world: World, workers: int, budget: int) -> Outcome:
    """`budget`: steps of all workers together; a trial that they end in the middle of is lost."""
    game = Game(method, world, workers, budget, Pick(world, yardstick(world)))
    game.play()
    pick = game.pick
    return Outcome(game.spent, len(game.trials), pick.finished, pick.to_target, 1 - pick.closed)
