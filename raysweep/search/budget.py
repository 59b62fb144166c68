"""How much a search may take, and what it has taken: told what happened, it says when that is enough.

It knows the time from what it is told, so that a replay of the same events comes to the same.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from pydantic import Field

from raysweep.schema import Config
from raysweep.search.objective import Score


class BudgetConfig(Config):
    """Limits of a search; None: no limit.

    Nothing new is proposed once any of them is reached. Trials that run then go on, but those of a search
    whose `steps`, `hours` or `gpu_hours` are spent, which end at their next validation. Trials that a person
    added count for `hours` alone, and run to their end.
    """

    trials: int | None = Field(default=16, ge=1)
    """Trials to propose."""
    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps of all trials together."""
    hours: float | None = Field(default=None, gt=0)
    """Wall time in which a driver was at work, from its first trial on."""
    gpu_hours: float | None = Field(default=None, gt=0)
    """Running time of each trial times the GPUs that it takes."""
    patience: int | None = Field(default=None, ge=1)
    """Trials in a row that finish or are stopped, and none of them with a better score than all before."""
    max_failures: int | None = Field(default=None, ge=1)
    """Trials in a row that fail or diverge."""
    max_concurrent: int | None = Field(default=None, ge=1)
    """Trials that run at once; None: as many as the resources hold."""


SPACE = "space"
"""Stands for a setting in a Limit: the space itself is the limit."""


class Limit(NamedTuple):
    """How far one limit is reached: "12 of 16 trials"."""

    setting: str
    """Of BudgetConfig, or SPACE."""
    spent: float
    bound: float
    unit: str

    @property
    def is_reached(self) -> bool:
        return self.spent >= self.bound

    @property
    def cuts_short(self) -> bool:
        """Whether running trials end, too."""
        return self.setting in ("steps", "hours", "gpu_hours")

    @property
    def raised_by(self) -> str:
        """The words of `raysweep resume` with which a search goes on beyond it."""
        words = {"trials": "--trials N", SPACE: "--steps N"}
        return words.get(self.setting, f"--set budget.{self.setting}=...")

    def __str__(self) -> str:
        return f"{_figure(self.spent)} of {_figure(self.bound)} {self.unit}"


class Budget:
    """Told of the trials of the search in the order of the event log, and of the time of every event."""

    def __init__(self, config: BudgetConfig) -> None:
        self.config = config
        self.trials = self.steps = self.saved_steps = 0
        self.seconds = self.gpu_seconds = 0.0
        self.unimproved = self.failures = 0
        """Trials in a row, as `patience` and `max_failures` count them."""
        self._settings: int | None = None
        """All that the space has, once all were proposed."""
        self._now: float | None = None
        self._gpus: dict[str, float] = {}
        self._running: set[str] = set()
        self._reached: dict[str, int] = {}
        """Step of each trial's last report."""
        self._best: list[Score] = []
        """One score; of several values those that no other is as good as."""
        self._improving: set[str] = set()
        """Trials that had the best score when they reported it."""

    @property
    def limits(self) -> list[Limit]:
        """Those that are set."""
        return [Limit(*spent) for spent in self._spent() if spent[2] is not None]  # type: ignore[arg-type]

    @property
    def over(self) -> Limit | None:
        """Why nothing new is proposed; None while something is."""
        return next((limit for limit in self.limits if limit.is_reached), None)

    @property
    def cut(self) -> Limit | None:
        """Why trials of the search end at their next validation; None while they go on."""
        reached = (limit for limit in self.limits if limit.is_reached)
        return next((limit for limit in reached if limit.cuts_short), None)

    @property
    def is_exhausted(self) -> bool:
        """Whether the space had no more settings."""
        return self._settings is not None

    def opened(self, time: float) -> None:
        """A driver begins; whatever the one before left running has not run since its last event."""
        self._now = time
        self._running.clear()

    def pass_time(self, time: float) -> None:
        """An event of the driver that is at work; `time` in seconds since the epoch."""
        elapsed = 0.0 if self._now is None else time - self._now
        self._now = time
        self.seconds += elapsed
        self.gpu_seconds += elapsed * sum(self._gpus[trial] for trial in self._running)

    def proposed(self, trial: str, gpus: float) -> None:
        self.trials += 1
        self._gpus[trial] = gpus

    def started(self, trial: str) -> None:
        self._running.add(trial)

    def report(self, trial: str, step: int, score: Score | None) -> None:
        self.steps += max(0, step - self._reached.get(trial, 0))
        self._reached[trial] = max(step, self._reached.get(trial, 0))
        if score is not None and not any(_as_good(best, score) for best in self._best):
            self._best = [best for best in self._best if not _as_good(score, best)] + [score]
            self._improving.add(trial)
            if not self._has_reached("patience"):
                self.unimproved = 0

    def paused(self, trial: str) -> None:
        self._running.discard(trial)

    def ended(
        self,
        trial: str,
        state: Literal["finished", "stopped", "diverged", "failed"],
        last_step: int,
    ) -> None:
        """`last_step`: where its run was to end."""
        self._running.discard(trial)
        if state == "stopped" and not self.cut:
            self.saved_steps += last_step - self._reached.get(trial, 0)
        if state in ("diverged", "failed"):
            self.failures += 1
            return
        if not self._has_reached("max_failures"):
            self.failures = 0
        self.unimproved += trial not in self._improving

    def retried(self) -> None:
        """A trial that had failed goes on: those that did in a row are counted anew."""
        self.failures = 0

    def exhausted(self, settings: int) -> None:
        """All of the space's settings, of which there are so many, were proposed."""
        self._settings = settings

    def extended(self, config: BudgetConfig) -> None:
        """Other limits; what was counted in a row is counted anew."""
        self.config = config
        self.unimproved = self.failures = 0

    def _has_reached(self, setting: str) -> bool:
        """A limit that is reached stays so, whatever becomes of trials that still run."""
        return any(limit.setting == setting and limit.is_reached for limit in self.limits)

    def _spent(self) -> Iterator[tuple[str, float, float | None, str]]:
        of = self.config
        yield "trials", self.trials, of.trials, "trials"
        yield "steps", self.steps, of.steps, "steps"
        yield "hours", self.seconds / 3600, of.hours, "h"
        yield "gpu_hours", self.gpu_seconds / 3600, of.gpu_hours, "GPU h"
        yield "patience", self.unimproved, of.patience, "trials without a better score"
        yield SPACE, self._settings or 0, self._settings, "settings that the space has"
        yield "max_failures", self.failures, of.max_failures, "failures in a row"


def _as_good(one: Score, other: Score) -> bool:
    """Whether `one` is at least as good as `other` in all, as ranking.py orders them."""
    if one.violation or other.violation:
        return one.violation <= other.violation
    return all(a >= b for a, b in zip(one.values, other.values, strict=True))


def _figure(value: float) -> str:
    """Whole numbers in full, others to two digits."""
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.2g}"
