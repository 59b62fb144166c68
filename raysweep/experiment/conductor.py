"""The mind of a sweep: proposes trials, judges reports, and writes each decision down before it counts.

Ray Tune only executes. All that the conductor knows is a replay of the event log, so a driver that was
killed starts again where it stood: unfinished trials first, under their ids, then new ones.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import UserError
from raysweep.experiment.events import Event, EventLog
from raysweep.experiment.extension import at_the_end, extended, unfinished
from raysweep.experiment.records import (
    ENQUEUED,
    FROM_SPACE,
    Records,
    TrialRecord,
    apply,
    in_its_length,
    prolong,
    run_of,
)
from raysweep.experiment.requests import Request
from raysweep.experiment.spending import spend, spend_in_all
from raysweep.schema import Tree
from raysweep.search.budget import Budget, BudgetConfig
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
    """`past` is what stands in `log`; `listener` hears every event of a trial that is written from now on;
    `resolve` puts in what a run's settings leave to the footage; `requests` gives what persons ask for.

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
        requests: Callable[[], Iterable[Request]] = tuple,
    ) -> None:
        self.sweep, self.objective, self.log, self.listener = sweep, objective, log, listener
        values = len(objective.goals) if objective.is_pareto else 1
        pinned = sweep.all_pinned
        self.study = Study(space or _nothing, sweep.sampler, sweep.seed, pinned, values)
        self.budget, self._has_space = Budget(sweep.budget), space is not None
        self.resolve, self.requests = resolve, requests
        training = resolve(sweep.run()).training
        self.scheduler = sweep.scheduler.build(training.validate_every, training.steps)
        self.trials: Records = {}
        self._verdicts: dict[str, Verdict] = {}
        self._courses: dict[str, Course] = {}
        self._to_stop: set[str] = set()
        """Trials that a person asked to stop."""
        self._honoured: set[str] = set()
        """Names of the requests that have become events."""
        self._waiting: list[str] = []
        self._catch_up(past)
        self._waiting = [record.trial for record in self.trials.values() if record.is_open]

    def propose(self) -> Proposal | None:
        """The next trial to run: one that waits, or a paused one that has earned it, or a new one.

        None: none for now, and none at all once `is_over`. Settings that make no valid run together are a
        failed trial, and the next one is taken.
        """
        self._take_requests()
        while (trial := self._next()) is not None:
            record = self.trials[trial]
            try:
                run = self.resolve(run_of(self.sweep, record))
                return Proposal(trial, in_its_length(run, record))
            except UserError as error:
                self.end(trial, str(error))
        return self._search()

    @property
    def is_over(self) -> bool:
        """Whether nothing runs, and nothing is to run any more."""
        may_go_on = self._searches or self._promotable() is not None
        return not may_go_on and not any(record.is_open for record in self.trials.values())

    def add(self, settings: Mapping[str, Any], origin: str, request: str = "") -> str:
        """Puts a trial of given settings (dotted paths) in line, outside budget and search; returns its id."""
        run = None
        with suppress(UserError):  # which `propose` tells
            run = self.resolve(self.sweep.run_by_hand(settings))
        trial = self._enter(origin, {}, dict(settings), run, request)
        self._waiting.append(trial)
        return trial

    def extend(self, budget: BudgetConfig, last_step: int | None) -> None:
        """Other limits and, unless None, a later end for trials to come, for those that are not over, and for
        those that finished and are worth it."""
        names: list[str] = []
        if last_step is not None:
            records = self.trials.values()
            going_on = self.scheduler.worthy(at_the_end(records, self.objective))
            names = sorted([*unfinished(records), *going_on])
        details = {"budget": budget.model_dump(), "last_step": last_step, "trials": names}
        self._learn_extension(self.log.append("extended", "", **details))
        self._waiting = [record.trial for record in self.trials.values() if record.is_open]

    def start(self, trial: str) -> None:
        self._write("started", trial)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Takes in one validation; True when the trial must not run on."""
        self._take_requests()
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

    @property
    def _searches(self) -> bool:
        """Whether there is more to propose."""
        return self._has_space and self.budget.over is None

    def _promotable(self) -> str | None:
        return None if self.budget.cut else self.scheduler.promotable()

    def _next(self) -> str | None:
        """Of the trials that are there."""
        while self._waiting:
            trial = self._waiting.pop(0)
            if not (self.trials[trial].is_searched and self.budget.cut):
                return trial
            self._write("ended", trial, state="stopped", reason=self._cut_at(self.trials[trial]))
        promoted = self._promotable()
        if promoted is not None:
            self._write("promoted", promoted)
        return promoted

    def _search(self) -> Proposal | None:
        """A new trial; paused ones are let go where there is to be none, and nothing else is left."""
        while self._searches:
            params, settings = self.study.propose(len(self.trials))
            try:
                run = self.resolve(self.sweep.run(settings))
            except UserError as error:
                self.end(self._enter(FROM_SPACE, params, settings), str(error))
            else:
                return Proposal(self._enter(FROM_SPACE, params, settings, run), run)
        if self.is_over:
            self._dismiss_paused()
        return None

    def _take_requests(self) -> None:
        for request in self.requests():
            if request.name in self._honoured:
                continue
            if request.kind == "enqueue":
                self.add(request.settings, ENQUEUED, request.name)
            elif self.trials[request.trial].is_open or self.trials[request.trial].state == "paused":
                self._write("stop", request.trial, request=request.name)
                if request.trial in self._waiting or not self.trials[request.trial].is_open:
                    self._stop(self.trials[request.trial])

    def _stop(self, record: TrialRecord) -> None:
        """Ends a trial that does not run, as a person asked."""
        if record.trial in self._waiting:
            self._waiting.remove(record.trial)
        self._write("ended", record.trial, state="stopped", reason=_stopped_at(record.step))

    def _dismiss_paused(self) -> None:
        for record in self.trials.values():
            if record.state == "paused":
                self._write("ended", record.trial, state="stopped", reason=record.reason)

    def _enter(
        self,
        origin: str,
        params: Tree,
        settings: Tree,
        run: RunConfig | None = None,
        request: str = "",
    ) -> str:
        trial = f"{len(self.trials):04d}"
        known = {} if run is None else {**_course(run)._asdict(), "gpus": run.cluster.gpus}
        asked = {"request": request} if request else {}
        details = {"params": params, "settings": settings, **known, **asked}
        self._write("proposed", trial, origin=origin, **details)
        return trial

    def _write(self, kind: str, trial: str, **details: Any) -> None:
        event = self.log.append(kind, trial, **details)
        record = apply(self.trials, event)
        self._learn(event, record)
        self.listener(event, record)

    def _catch_up(self, past: Iterable[Event]) -> None:
        for event in past:
            if event["trial"]:
                self._replay(event)
            elif event["kind"] == "extended":
                self._learn_extension(event)
            else:
                spend_in_all(self.budget, event)
        for trial, record in self.trials.items():
            if record.is_open:  # the driver may have died between a report and its verdict
                self._execute_verdict(trial)
            if trial in self._to_stop and (record.is_open or record.state == "paused"):
                self._stop(record)

    def _replay(self, event: Event) -> None:
        record = apply(self.trials, event)
        if event["kind"] == "proposed" and record.is_searched:
            self.study.propose(int(record.trial), record.params)
        self._learn(event, record)

    def _learn(self, event: Event, record: TrialRecord) -> None:
        """Budget, study and scheduler take in an event of a trial, new or replayed."""
        spend(self.budget, event, record, self.objective)
        self._honoured.add(event.get("request", ""))
        learn = {
            "proposed": self._learn_course,
            "report": self._judge,
            "stop": self._learn_stop,
            "paused": self._learn_pause,
            "promoted": self._learn_promotion,
            "ended": self._learn_end,
        }
        if event["kind"] in learn:
            learn[event["kind"]](event, record)

    def _learn_course(self, event: Event, record: TrialRecord) -> None:
        if record.is_searched and "last_step" in event:
            self._courses[record.trial] = Course(event["last_step"], event["gan_from"])
            self.scheduler.enter(record.trial, self._courses[record.trial])

    def _learn_extension(self, event: Event) -> None:
        spend_in_all(self.budget, event)
        if event["last_step"] is not None:
            finished = at_the_end(self.trials.values(), self.objective)
            self.scheduler.extend(event["last_step"], finished)
            for trial in event["trials"]:
                self._courses[trial] = self._courses[trial]._replace(last_step=event["last_step"])
                self.scheduler.enter(trial, self._courses[trial])
                if trial in finished:  # the study has been told of its end, and hears of another
                    self.study.propose(int(trial), self.trials[trial].params)
        prolong(self.trials, event)
        self.sweep = extended(self.sweep, event)

    def _learn_stop(self, event: Event, record: TrialRecord) -> None:
        self._to_stop.add(record.trial)

    def _learn_promotion(self, event: Event, record: TrialRecord) -> None:
        self.scheduler.promoted(record.trial)

    def _learn_pause(self, event: Event, record: TrialRecord) -> None:
        self._verdicts.pop(record.trial, None)

    def _learn_end(self, event: Event, record: TrialRecord) -> None:
        self._verdicts.pop(record.trial, None)
        self._to_stop.discard(record.trial)
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
        if score is not None and event["step"] != record.last_step:
            self._overrule(record, event["step"])

    def _overrule(self, record: TrialRecord, step: int) -> None:
        """What stands above the scheduler's advice: a person, and the budget."""
        if record.trial in self._to_stop:
            self._verdicts[record.trial] = Verdict("stopped", _stopped_at(step))
        elif record.is_searched and self.budget.cut:
            self._verdicts[record.trial] = Verdict("stopped", self._cut_at(record))

    def _cut_at(self, record: TrialRecord) -> str:
        assert self.budget.cut is not None
        return f"budget.{self.budget.cut.setting} is spent, at step {record.step}"

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
    return Course(last_step=steps, gan_from=run.loss.gan_timing(steps).start)


def _stopped_at(step: int) -> str:
    return f"stopped by hand at step {step}"


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}


def _nothing(trial: Any) -> Tree:
    return {}
