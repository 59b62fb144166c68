"""The mind of a sweep: proposes trials, judges reports, and writes each decision down before it counts.

Ray Tune only executes. All that the conductor knows is a replay of the event log, so a driver that was
killed starts again where it stood: unfinished trials first, under their ids, then new ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import UserError
from raysweep.experiment.events import Event, EventLog
from raysweep.experiment.records import FROM_SPACE, Records, TrialRecord, apply, run_of
from raysweep.schema import Tree
from raysweep.search.objective import Objective, Score
from raysweep.search.schedulers import Advice, Course
from raysweep.search.study import Space, Study

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
    """Why a trial does not run on after its last report."""

    state: str
    """What it is then: stopped or diverged, which are ends, or paused."""
    reason: str


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
        values = len(objective.goals) if objective.is_pareto else 1
        pinned = sweep.all_pinned
        constrained = bool(objective.constraints)
        self.study = Study(
            space or _nothing, sweep.sampler, sweep.seed, pinned, values, constrained
        )
        self.budget_trials = 0 if space is None else sweep.budget.trials
        self.resolve = resolve
        training = resolve(sweep.run()).training
        self.scheduler = sweep.scheduler.build(training.validate_every, training.steps)
        self.trials: Records = {}
        self._searched, self._is_told_exhausted = 0, False
        self._verdicts: dict[str, Verdict] = {}
        self._catch_up(past)
        self._waiting = [record.trial for record in self.trials.values() if record.is_open]

    def propose(self) -> Proposal | None:
        """The next trial to run: one that waits, or a paused one that has earned it, or a new one.

        None: none for now, and none at all once `is_over`. Settings that make no valid run together are a
        failed trial, and the next one is taken.
        """
        while (trial := self._next()) is not None:
            try:
                return Proposal(trial, self.resolve(run_of(self.sweep, self.trials[trial])))
            except UserError as error:
                self.end(trial, str(error))
        return self._search()

    @property
    def is_over(self) -> bool:
        """Whether nothing runs, and nothing is to run any more."""
        may_go_on = self._is_searching or self.scheduler.promotable(False) is not None
        return not may_go_on and not any(record.is_open for record in self.trials.values())

    @property
    def _is_searching(self) -> bool:
        """Whether new trials are to come."""
        return self._searched < self.budget_trials and not self.study.is_exhausted

    def add(self, settings: Mapping[str, Any], origin: str) -> str:
        """Puts a trial of given settings (dotted paths) in line, outside budget and search; returns its id."""
        trial = self._enter(origin, {}, dict(settings))
        self._waiting.append(trial)
        return trial

    def start(self, trial: str, executed_as: str = "") -> None:
        """`executed_as`: the executor's own name for it, where it has one."""
        self._write("started", trial, executed_as=executed_as)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Takes in one validation; True when the trial must not run on."""
        record = self.trials[trial]
        if (
            record.is_open and step not in record.reports
        ):  # a resumed run tells its last report again
            self._write("report", trial, step=step, metrics=_finite(metrics))
            self._execute_verdict(trial)
        return not record.is_open

    def end(self, trial: str, error: str = "") -> None:
        """The executor is done with the trial; one that was stopped or paused keeps that state."""
        if self.trials[trial].is_open:
            self._write("ended", trial, state="failed" if error else "finished", reason=error)

    def _next(self) -> str | None:
        """Of the trials that are there."""
        if self._waiting:
            return self._waiting.pop(0)
        promoted = self.scheduler.promotable(self._is_searching)
        if promoted is not None:
            self._write("promoted", promoted)
        return promoted

    def _search(self) -> Proposal | None:
        """A new trial; paused ones are let go where there is to be none, and nothing else is left."""
        while self._is_searching:
            suggestion = self.study.propose(len(self.trials))
            if suggestion is None:
                break
            params, settings = suggestion
            try:
                run = self.resolve(self.sweep.run(settings))
            except UserError as error:
                self.end(self._enter(FROM_SPACE, params, settings), str(error))
            else:
                return Proposal(self._enter(FROM_SPACE, params, settings, _course(run)), run)
        if self.study.is_exhausted:
            self._tell_exhausted()
        if self.is_over:
            self._dismiss_paused()
        return None

    def _tell_exhausted(self) -> None:
        if not self._is_told_exhausted:
            count = len(self.study.tried)
            reason = f"all {count} settings that the space has were proposed"
            self.log.append("exhausted", "", reason=reason)
            self._is_told_exhausted = True

    def _dismiss_paused(self) -> None:
        for record in self.trials.values():
            if record.state == "paused":
                self._write("ended", record.trial, state="stopped", reason=record.reason)

    def _enter(
        self, origin: str, params: Tree, settings: Tree, course: Course | None = None
    ) -> str:
        trial = f"{len(self.trials):04d}"
        known = {} if course is None else course._asdict()
        self._write("proposed", trial, origin=origin, params=params, settings=settings, **known)
        return trial

    def _write(self, kind: str, trial: str, **details: Any) -> None:
        event = self.log.append(kind, trial, **details)
        record = apply(self.trials, event)
        self._learn(event, record)
        self.listener(event, record)

    def _catch_up(self, past: Iterable[Event]) -> None:
        for event in past:
            if event["kind"] == "exhausted":
                self._is_told_exhausted = True
                continue
            record = apply(self.trials, event)
            if event["kind"] == "proposed" and record.is_searched:
                self.study.propose(int(record.trial), record.params)
            self._learn(event, record)
        for trial, record in self.trials.items():
            if record.is_open:  # the driver may have died between a report and its verdict
                self._execute_verdict(trial)

    def _learn(self, event: Event, record: TrialRecord) -> None:
        """Study and scheduler take in an event, new or replayed."""
        learn = {
            "proposed": self._learn_course,
            "report": self._judge,
            "paused": self._learn_pause,
            "promoted": self._learn_promotion,
            "ended": self._learn_end,
        }
        if event["kind"] in learn:
            learn[event["kind"]](event, record)

    def _learn_course(self, event: Event, record: TrialRecord) -> None:
        if record.is_searched:
            self._searched += 1
        if "last_step" in event:
            course = Course(event["last_step"], event["gan_from"])
            self.scheduler.enter(record.trial, course)
            if record.is_searched:
                self.study.enter(int(record.trial), course)

    def _learn_promotion(self, event: Event, record: TrialRecord) -> None:
        self.scheduler.promoted(record.trial)

    def _learn_pause(self, event: Event, record: TrialRecord) -> None:
        self._verdicts.pop(record.trial, None)

    def _learn_end(self, event: Event, record: TrialRecord) -> None:
        self._verdicts.pop(record.trial, None)
        if record.is_searched:
            self.scheduler.end(record.trial)
            self.study.tell(int(record.trial), OUTCOMES[record.state])

    def _judge(self, event: Event, record: TrialRecord) -> None:
        score = self.objective.score(event["metrics"])
        if score is None:
            missing = self.objective.missing(event["metrics"])
            reason = f"no finite {missing} at step {event['step']}"
            self._verdicts[record.trial] = Verdict("diverged", reason)
        elif record.is_searched:
            self.study.report(int(record.trial), event["step"], score)
            self._take(record, event["step"], score)

    def _take(self, record: TrialRecord, step: int, score: Score) -> None:
        """The scheduler's advice."""
        advice = self.scheduler.report(record.trial, step, score)
        if advice is Advice.STOP:
            self._verdicts[record.trial] = Verdict("stopped", f"below its peers at step {step}")
        elif advice is Advice.PAUSE:
            self._verdicts[record.trial] = Verdict("paused", f"not among the best at step {step}")

    def _execute_verdict(self, trial: str) -> None:
        verdict = self._verdicts.get(trial)
        if verdict is not None:
            kind = "paused" if verdict.state == "paused" else "ended"
            self._write(kind, trial, state=verdict.state, reason=verdict.reason)


def _course(run: RunConfig) -> Course:
    steps = run.training.steps
    timing = run.loss.gan_timing(steps)
    return Course(last_step=steps, gan_from=None if timing.start is None else timing.joins)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}


def _nothing(trial: Any) -> Tree:
    return {}
