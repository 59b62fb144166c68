"""The mind of a sweep: proposes trials, judges reports, and writes each decision down before it counts.

Ray Tune only executes. Every state below is a replay of the event log, so a driver that was killed
starts again where it stood: unfinished trials first, under their ids, then new ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError
from raysweep.experiment.events import Event, EventLog
from raysweep.schema import Tree
from raysweep.search.objective import Objective
from raysweep.search.rungs import Rungs
from raysweep.search.study import Space, Study

OUTCOMES = {"finished": "complete", "stopped": "pruned", "diverged": "failed", "failed": "failed"}
"""How a trial ended -> what the study is told."""


@dataclass
class TrialRecord:
    """What is known of one trial."""

    trial: str
    params: Tree
    """Searched parameters by dotted path."""
    settings: Tree
    """All that the space (or a person) set, by dotted path."""
    state: str = "proposed"
    reason: str = ""
    reports: dict[int, dict[str, float]] = field(default_factory=dict)
    """Metrics by step."""
    started: float = 0.0
    ended: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.state in ("proposed", "running")

    @property
    def step(self) -> int:
        return max(self.reports, default=0)


@dataclass(frozen=True)
class Proposal:
    trial: str
    config: RunConfig


class Conductor:
    """`events` is what an earlier driver wrote; `log` takes what this one decides."""

    def __init__(
        self,
        sweep: SweepConfig,
        space: Space,
        objective: Objective,
        log: EventLog,
        events: Iterable[Event] = (),
    ) -> None:
        self.sweep, self.objective, self.log = sweep, objective, log
        self.study = Study(space, sweep.sampler, sweep.seed)
        training = sweep.run().training
        grace = sweep.scheduler.grace or training.validate_every
        self.rungs = Rungs(sweep.scheduler, grace, training.steps)
        self.trials: dict[str, TrialRecord] = {}
        for event in events:
            self._apply(event)
        self._unissued = [record.trial for record in self.trials.values() if record.is_open]

    def propose(self) -> Proposal | None:
        """The next trial to run, an unfinished one first; None when the budget of trials is spent."""
        if self._unissued:
            return self._proposal(self._unissued.pop(0))
        if self._sampled() >= self.sweep.budget.trials:
            return None
        params, settings = self.study.propose(len(self.trials))
        return self._record(params, settings)

    def add(self, settings: Mapping[str, Any]) -> None:
        """Puts a trial of given settings (dotted paths) in line, outside the budget and the study."""
        self._unissued.append(self._record({}, dict(settings)).trial)

    def start(self, trial: str) -> None:
        self._write("started", trial)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Takes in one validation; True when the trial must stop here."""
        record = self.trials[trial]
        if not record.is_open:
            return True
        if step in record.reports:  # told again after a resume
            return False
        self._write("report", trial, step=step, metrics=_finite(metrics))
        score = self.objective.score(metrics)
        if score is None:
            self._write("ended", trial, state="diverged", reason=f"no finite {self.objective.metric}")
            return True
        if record.params and self.rungs.stops(trial, step, score):
            self._write("ended", trial, state="stopped", reason=f"below its peers at step {step}")
            return True
        return False

    def end(self, trial: str, error: str = "") -> None:
        """The executor is done with the trial; one that was stopped keeps that state."""
        if self.trials[trial].is_open:
            state = "failed" if error else "finished"
            self._write("ended", trial, state=state, reason=error)

    def _sampled(self) -> int:
        return sum(bool(record.params) for record in self.trials.values())

    def _record(self, params: Tree, settings: Tree) -> Proposal:
        trial = f"{len(self.trials):04d}"
        self._write("proposed", trial, params=params, settings=settings)
        return self._proposal(trial)

    def _proposal(self, trial: str) -> Proposal:
        return Proposal(trial, self.sweep.run(self.trials[trial].settings))

    def _write(self, kind: str, trial: str, **details: Any) -> None:
        self._apply(self.log.append(kind, trial, **details), live=True)

    def _apply(self, event: Event, live: bool = False) -> None:
        """The one place where state changes, whether an event is new or replayed."""
        kind, trial = event["kind"], event["trial"]
        if kind == "proposed":
            self.trials[trial] = TrialRecord(trial, event["params"], event["settings"])
            if event["params"] and not live:
                self.study.propose(int(trial), event["params"])
            return
        record = self.trials[trial]
        if kind == "started":
            record.state, record.started = "running", record.started or event["time"]
        elif kind == "report":
            self._apply_report(record, event, live)
        elif kind == "ended":
            record.state, record.reason, record.ended = event["state"], event["reason"], event["time"]
            if record.params:
                self.study.tell(int(trial), OUTCOMES[record.state])  # type: ignore[arg-type]

    def _apply_report(self, record: TrialRecord, event: Event, live: bool) -> None:
        record.reports[event["step"]] = event["metrics"]
        score = self.objective.score(event["metrics"])
        if score is None or not record.params:
            return
        self.study.report(int(record.trial), event["step"], score)
        if not live:  # live, the rung is asked by `report`, after the event is on disk
            self.rungs.stops(record.trial, event["step"], score)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}


def check_space(sweep: SweepConfig, space: Space, samples: int = 50) -> None:
    """Draws from the space and validates every result; ConfigError names the first bad setting."""
    study = Study(space, sweep.sampler, sweep.seed)
    for number in range(samples):
        _, settings = study.propose(number)
        try:
            sweep.run(settings)
        except ConfigError as error:
            raise ConfigError(f"search space {sweep.space}: {error}") from None
        study.tell(number, "failed")
