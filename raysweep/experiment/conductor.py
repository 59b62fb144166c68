"""The mind of a sweep: proposes trials, judges reports, and writes each decision down before it counts.

Ray Tune only executes. All that the conductor knows is a replay of the event log (knowledge.py), so a driver
that was killed starts again where it stood: unfinished trials first, under their ids, then new ones.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import UserError
from raysweep.experiment.confirmation import Entry, left_to_confirm
from raysweep.experiment.earlier import Known
from raysweep.experiment.events import Event, EventLog
from raysweep.experiment.extension import at_the_end, unfinished
from raysweep.experiment.knowledge import Knowledge, Verdict, stopped_by_hand
from raysweep.experiment.records import (
    ENQUEUED,
    FROM_SPACE,
    Records,
    TrialRecord,
    in_its_length,
    run_of,
)
from raysweep.experiment.requests import Request
from raysweep.schema import Tree
from raysweep.search.budget import BudgetConfig
from raysweep.search.objective import Objective
from raysweep.search.schedulers import Course, Scheduler
from raysweep.search.study import Space, Study


@dataclass(frozen=True)
class Proposal:
    trial: str
    config: RunConfig
    is_tested: bool = False
    """Whether it is scored on the test split at its end."""


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
        self.objective, self.log, self.listener = objective, log, listener
        self.resolve, self.requests = resolve, requests
        self._has_space = space is not None
        self._looked_at = -1
        """`known.ends` when finalists were last chosen: of 10,000 trials that takes seconds."""
        self.known = Knowledge(sweep, space, objective, resolve(sweep.run()))
        self.known.replay(past)
        self._waiting: list[str] = []
        self._execute_what_is_left()
        self._waiting = self._open()

    @property
    def trials(self) -> Records:
        return self.known.trials

    @property
    def study(self) -> Study:
        return self.known.study

    @property
    def scheduler(self) -> Scheduler:
        return self.known.scheduler

    @property
    def is_over(self) -> bool:
        """Whether nothing runs, and nothing is to run any more."""
        if not self._search_is_over or self._open():
            return False
        return not self._left_to_confirm()

    def propose(self) -> Proposal | None:
        """The next trial to run: one that waits, or a paused one that has earned it, or a new one; once the search
        is over, a finalist with another seed.

        None: none for now, and none at all once `is_over`. Settings that make no valid run together are a
        failed trial, and the next one is taken.
        """
        self._take_requests()
        return self._from_line() or self._search() or self._confirm()

    def know(self, known: Known) -> None:
        """Tells the study of an earlier experiment's trial, once."""
        if known.source not in self.known.sources:
            reports = sorted(known.reports.items())
            told = {"params": known.params, "reports": reports, "outcome": known.outcome}
            self.known.learn(self.log.append("known", "", source=known.source, **told))

    def add(self, settings: Mapping[str, Any], origin: str, request: str = "") -> str:
        """Puts a trial of given settings (dotted paths) in line, outside budget and search; returns its id."""
        run = None
        with suppress(UserError):  # which `propose` tells
            run = self.resolve(self.known.sweep.run_by_hand(settings))
        trial = self._enter(origin, {}, dict(settings), run, request)
        self._waiting.append(trial)
        return trial

    def extend(self, budget: BudgetConfig, last_step: int | None) -> None:
        """Other limits and, unless None, a later end for trials to come, for those that are not over, and for
        those that finished and are worth it."""
        names: list[str] = []
        if last_step is not None:
            records = self.trials.values()
            worthy = self.scheduler.worthy(at_the_end(records, self.objective))
            names = sorted([*unfinished(records), *worthy])
        details = {"budget": budget.model_dump(), "last_step": last_step, "trials": names}
        self.known.learn(self.log.append("extended", "", **details))
        going_on = [name for name in names if self.trials[name].state == "promoted"]
        self._waiting += [name for name in going_on if name not in self._waiting]

    def start(self, trial: str, executed_as: str = "") -> None:
        """`executed_as`: the executor's own name for it, where it has one."""
        self._write("started", trial, executed_as=executed_as)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Takes in one validation; True when the trial must not run on."""
        self._take_requests()
        record = self.trials[trial]
        if (
            record.is_open and step not in record.reports
        ):  # a resumed run tells its last report again
            self._write("report", trial, step=step, metrics=_finite(metrics))
            if trial in self.known.verdicts:
                self._execute(trial, self.known.verdicts[trial])
        return not record.is_open

    def tested(self, trial: str, step: int, metrics: Mapping[str, float]) -> None:
        """Takes in the score of the checkpoint of `step` on the test split, once."""
        record = self.trials[trial]
        if record.is_open and not record.tested:
            self._write("tested", trial, step=step, metrics=_finite(metrics))

    def end(self, trial: str, error: str = "") -> None:
        """The executor is done with the trial; one that was stopped or paused keeps that state."""
        if self.trials[trial].is_open:
            self._execute(trial, Verdict("failed" if error else "finished", error))

    @property
    def _is_searching(self) -> bool:
        """Whether new trials are to come."""
        is_spent = self.known.budget.over is not None or self.study.is_exhausted
        return self._has_space and not is_spent

    @property
    def _search_is_over(self) -> bool:
        """Whether all trials that may be finalists have come to their end."""
        may_go_on = self._is_searching or self._promotable(False) is not None
        return not may_go_on and all(self.trials[trial].confirms for trial in self._open())

    def _open(self) -> list[str]:
        return [record.trial for record in self.trials.values() if record.is_open]

    def _promotable(self, is_searching: bool) -> str | None:
        return None if self.known.budget.cut else self.scheduler.promotable(is_searching)

    def _from_line(self) -> Proposal | None:
        """A trial that is there."""
        while (trial := self._next()) is not None:
            record = self.trials[trial]
            try:
                run = in_its_length(self.resolve(run_of(self.known.sweep, record)), record)
                return Proposal(trial, run, is_tested=record.confirms is not None)
            except UserError as error:
                self.end(trial, str(error))
        return None

    def _next(self) -> str | None:
        while self._waiting:
            record = self.trials[self._waiting.pop(0)]
            if not (record.is_searched and self.known.budget.cut):
                return record.trial
            self._execute(record.trial, self.known.cut_short(record))
        promoted = self._promotable(self._is_searching)
        if promoted is not None:
            self._write("promoted", promoted)
        return promoted

    def _search(self) -> Proposal | None:
        """A new trial; paused ones are let go where there is to be none, and nothing else is left."""
        while self._is_searching:
            point = dict(enumerate(self.known.sweep.points)).get(self.known.budget.trials)
            suggestion = self.study.propose(len(self.trials), point)
            if suggestion is None:
                break
            try:
                run = self.resolve(self.known.sweep.run(suggestion.settings))
            except UserError as error:
                self.end(self._enter(FROM_SPACE, *suggestion), str(error))
            else:
                return Proposal(self._enter(FROM_SPACE, *suggestion, run), run)
        self._tell_exhausted()
        if self._search_is_over:
            self._dismiss_paused()
        return None

    def _tell_exhausted(self) -> None:
        if self.study.is_exhausted and not self.known.budget.is_exhausted:
            self.known.learn(self.log.append("exhausted", "", settings=len(self.study.tried)))

    def _confirm(self) -> Proposal | None:
        if self._search_is_over:
            for entry in self._left_to_confirm():
                self.add(entry.settings, entry.origin)
            self._looked_at = self.known.ends
        return self._from_line()

    def _left_to_confirm(self) -> list[Entry]:
        if self._looked_at == self.known.ends:
            return []
        return left_to_confirm(self.known.sweep, self.trials, self.objective)

    def _take_requests(self) -> None:
        for request in self.requests():
            if request.name in self.known.honoured:
                continue
            if request.kind == "enqueue":
                self.add(request.settings, ENQUEUED, request.name)
            elif not self.trials[request.trial].is_over:
                self._write("stop", request.trial, request=request.name)
                if request.trial in self._waiting or not self.trials[request.trial].is_open:
                    self._stop(self.trials[request.trial])

    def _stop(self, record: TrialRecord) -> None:
        """Ends a trial that does not run, as a person asked."""
        if record.trial in self._waiting:
            self._waiting.remove(record.trial)
        self._execute(record.trial, stopped_by_hand(record))

    def _dismiss_paused(self) -> None:
        for record in self.trials.values():
            if record.state == "paused":
                self._execute(record.trial, Verdict("stopped", record.reason))

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

    def _execute_what_is_left(self) -> None:
        """The driver before may have died between an event and what follows from it."""
        for record in self.trials.values():
            if record.is_open and record.trial in self.known.verdicts:
                self._execute(record.trial, self.known.verdicts[record.trial])
            if record.trial in self.known.to_stop and not record.is_over:
                self._stop(record)

    def _execute(self, trial: str, verdict: Verdict) -> None:
        kind = "paused" if verdict.state == "paused" else "ended"
        self._write(kind, trial, state=verdict.state, reason=verdict.reason)

    def _write(self, kind: str, trial: str, **details: Any) -> None:
        event = self.log.append(kind, trial, **details)
        self.known.learn(event)
        self.listener(event, self.trials[trial])


def _course(run: RunConfig) -> Course:
    steps = run.training.steps
    timing = run.loss.gan_timing(steps)
    return Course(last_step=steps, gan_from=None if timing.start is None else timing.joins)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}
