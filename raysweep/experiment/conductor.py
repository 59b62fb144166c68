"""The mind of a sweep: proposes trials, judges reports, and writes each decision down before it counts.

Ray Tune only executes. All that the conductor knows is a replay of the event log, so a driver that was
killed starts again where it stood: unfinished trials first, under their ids, then new ones.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError, UserError
from raysweep.experiment.events import Event, EventLog
from raysweep.experiment.records import FROM_SPACE, Records, TrialRecord, apply, run_of
from raysweep.schema import Tree
from raysweep.search.objective import Objective
from raysweep.search.rungs import Rungs
from raysweep.search.study import SamplerConfig, Space, Study

OUTCOMES: dict[str, Literal["complete", "pruned", "failed"]] = {
    "finished": "complete",
    "stopped": "pruned",
    "diverged": "failed",
    "failed": "failed",
}
"""How a trial ended -> what the study is told."""


@dataclass(frozen=True)
class Proposal:
    trial: str
    config: RunConfig


class Verdict(NamedTuple):
    """A reason to end a trial at its last report."""

    state: str
    reason: str


class Draw(NamedTuple):
    """A sample of a search space, resolved."""

    params: Tree
    """What it suggested, by dotted path."""
    config: RunConfig


class Conductor:
    """`past` is what an earlier driver wrote to `log`; `listener` hears every event of this one; `resolve`
    puts in what a run's settings leave to the footage.

    Without a `space` nothing is proposed but the trials that are added.
    """

    def __init__(
        self,
        sweep: SweepConfig,
        space: Space | None,
        objective: Objective,
        log: EventLog,
        past: Iterable[Event] = (),
        listener: Callable[[Event, TrialRecord], None] = lambda event, record: None,
        resolve: Callable[[RunConfig], RunConfig] = lambda run: run,
    ) -> None:
        self.sweep, self.objective, self.log, self.listener = sweep, objective, log, listener
        self.study = Study(space or _nothing, sweep.sampler, sweep.seed, _all_pinned(sweep))
        self.budget_trials = 0 if space is None else sweep.budget.trials
        self.resolve = resolve
        training = resolve(sweep.run()).training
        grace = sweep.scheduler.grace or training.validate_every
        self.rungs = Rungs(sweep.scheduler, grace, training.steps)
        self.trials: Records = {}
        self._verdicts: dict[str, Verdict] = {}
        self._catch_up(past)
        self._waiting = [record.trial for record in self.trials.values() if record.is_open]

    def propose(self) -> Proposal | None:
        """The next trial to run, a waiting one first; None when the budget of trials is spent.

        Suggestions that make no valid run together are a failed trial, and the next one is taken.
        """
        while self._waiting or self._searched() < self.budget_trials:
            if not self._waiting:
                params, settings = self.study.propose(len(self.trials))
                self._enter(FROM_SPACE, params, settings)
            record = self.trials[self._waiting.pop(0)]
            try:
                return Proposal(record.trial, self.resolve(run_of(self.sweep, record)))
            except UserError as error:
                self.end(record.trial, str(error))
        return None

    def add(self, settings: Mapping[str, Any], origin: str) -> str:
        """Puts a trial of given settings (dotted paths) in line, outside budget and search; returns its id."""
        return self._enter(origin, {}, dict(settings))

    def start(self, trial: str) -> None:
        self._write("started", trial)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Takes in one validation; True when the trial must stop here."""
        record = self.trials[trial]
        if (
            record.is_open and step not in record.reports
        ):  # a resumed run tells its last report again
            self._write("report", trial, step=step, metrics=_finite(metrics))
            self._execute_verdict(trial)
        return not record.is_open

    def end(self, trial: str, error: str = "") -> None:
        """The executor is done with the trial; one that was stopped keeps that state."""
        if self.trials[trial].is_open:
            self._write("ended", trial, state="failed" if error else "finished", reason=error)

    def _searched(self) -> int:
        return sum(record.is_searched for record in self.trials.values())

    def _enter(self, origin: str, params: Tree, settings: Tree) -> str:
        trial = f"{len(self.trials):04d}"
        self._write("proposed", trial, origin=origin, params=params, settings=settings)
        self._waiting.append(trial)
        return trial

    def _write(self, kind: str, trial: str, **details: Any) -> None:
        event = self.log.append(kind, trial, **details)
        record = apply(self.trials, event)
        self._learn(event, record)
        self.listener(event, record)

    def _catch_up(self, past: Iterable[Event]) -> None:
        for event in past:
            record = apply(self.trials, event)
            if event["kind"] == "proposed" and record.is_searched:
                self.study.propose(int(record.trial), record.params)
            self._learn(event, record)
        for trial, record in self.trials.items():
            if record.is_open:  # the driver may have died between a report and its verdict
                self._execute_verdict(trial)

    def _learn(self, event: Event, record: TrialRecord) -> None:
        """Study and rungs take in an event, new or replayed."""
        if event["kind"] == "ended" and record.is_searched:
            self.study.tell(int(record.trial), OUTCOMES[record.state])
        if event["kind"] != "report":
            return
        score = self.objective.score(event["metrics"])
        if score is None:
            reason = f"no finite {self.objective.metric} at step {event['step']}"
            self._verdicts[record.trial] = Verdict("diverged", reason)
        elif record.is_searched:
            self.study.report(int(record.trial), event["step"], score)
            if self.rungs.stops(record.trial, event["step"], score):
                reason = f"below its peers at step {event['step']}"
                self._verdicts[record.trial] = Verdict("stopped", reason)

    def _execute_verdict(self, trial: str) -> None:
        verdict = self._verdicts.get(trial)
        if verdict is not None:
            self._write("ended", trial, state=verdict.state, reason=verdict.reason)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}


def check_space(sweep: SweepConfig, space: Space, samples: int = 50) -> list[Draw]:
    """Draws from the space and validates every result; ConfigError names the first bad setting."""
    study, draws = Study(space, sweep.sampler, sweep.seed, _all_pinned(sweep)), []
    for number in range(samples):
        with _blaming(sweep.space):
            params, settings = study.propose(number)
            _require_plain(settings)
            draws.append(Draw(params, sweep.run(settings)))
        study.tell(number, "failed")
    return draws


def asked_of_some(
    space: Space, name: str | None, pinned: Mapping[str, Any], samples: int = 50
) -> set[str]:
    """The paths of `pinned` that belong to some of the kinds that the space tries: it sets them in some trials
    and not in all."""
    study, asked = Study(space, SamplerConfig(kind="random"), 0, pinned), []
    for number in range(samples):
        with _blaming(name):
            asked.append(set(study.propose(number)[1]))
    ever, always = set.union(*asked), set.intersection(*asked)
    return {path for path in pinned if path in ever - always and not ever.isdisjoint(_kinds(path))}


def _kinds(path: str) -> Iterator[str]:
    """The settings that a path's meaning may hang on: of `a.b.c`, `a.kind` and `a.b.kind`."""
    sections = path.split(".")[:-1]
    return (".".join([*sections[: depth + 1], "kind"]) for depth in range(len(sections)))


@contextmanager
def _blaming(space: str | None) -> Iterator[None]:
    """What is raised within is a ConfigError that names the space."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"search space {space}: {error}") from None
    except Exception as error:  # the space is somebody's own code, and may raise anything
        raise ConfigError(
            f"search space {space}: space(trial) must suggest and return, and raised "
            f"{type(error).__name__}: {error}. Correct the file."
        ) from error


def _all_pinned(sweep: SweepConfig) -> Tree:
    return {**sweep.pinned, **sweep.pinned_if_asked}


def _require_plain(settings: Tree) -> None:
    """The event log must give back what the space said."""
    if json.loads(json.dumps(settings)) != settings:
        raise ConfigError(
            f"it must suggest numbers, text, booleans or lists of them, got {settings}. Write tuples as lists."
        )


def _nothing(trial: Any) -> Tree:
    return {}
