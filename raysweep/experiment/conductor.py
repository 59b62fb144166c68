"""The mind of a sweep: proposes trials, judges reports, and writes each decision down before it counts.

Ray Tune only executes. All that the conductor knows is a replay of the event log (knowledge.py), so a driver
that was killed starts again where it stood: unfinished trials first, under their ids, then new ones.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any

from raysweep.cluster_config import ClusterConfig
from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import UserError
from raysweep.experiment.earlier import Known
from raysweep.experiment.events import Event, EventLog
from raysweep.experiment.extension import at_the_end, unfinished
from raysweep.experiment.knowledge import Knowledge, Verdict, stopped_by_hand
from raysweep.experiment.ledger import Ledger
from raysweep.experiment.proposer import Proposal, Proposer
from raysweep.experiment.records import ENQUEUED, Records, TrialRecord, run_of
from raysweep.experiment.requests import Request
from raysweep.search.budget import BudgetConfig
from raysweep.search.objective import Objective
from raysweep.search.schedulers import Scheduler
from raysweep.search.study import Space, Study


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
        self.requests = requests
        self.known = Knowledge(sweep, space, objective, resolve(sweep.run()))
        self.known.replay(past)
        self.ledger = Ledger(log, self.known, lambda event, record: self.listener(event, record))
        self.proposer = Proposer(self.known, self.ledger, resolve)
        self._halt_what_is_left()
        self._waiting.extend(self.known.open_trials())

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
    def _waiting(self) -> list[str]:
        return self.proposer.waiting

    @property
    def is_suspended(self) -> bool:
        """Whether a person has paused the whole: trials end at their next checkpoint, and go on another time."""
        return self.known.is_suspended

    @property
    def has_more(self) -> bool:
        """Whether `propose` may have a trial now."""
        return not self.is_suspended and self.proposer.has_more

    @property
    def at_work(self) -> list[str]:
        """Trials that the executor has."""
        return [trial for trial in self.known.open_trials() if self._has(trial)]

    def cluster_of(self, trial: str) -> ClusterConfig:
        """What it takes; what the base run takes where its settings make no valid one."""
        try:
            return run_of(self.known.sweep, self.trials[trial]).cluster
        except UserError:  # which `propose` tells
            return self.known.sweep.run().cluster

    @property
    def is_over(self) -> bool:
        """Whether nothing runs, and nothing is to run any more, or not now since a person has paused the whole."""
        if self.is_suspended:
            return not self.at_work
        if not self.known.search_is_over or self.known.open_trials():
            return False
        return not self.proposer.left_to_confirm()

    def propose(self) -> Proposal | None:
        """The next trial to run (proposer.py). None: none for now, and none at all once `is_over`."""
        self.heed()
        return None if self.is_suspended else self.proposer.propose()

    def heed(self) -> None:
        """Takes in what persons ask for."""
        for request in self.requests():
            if request.name not in self.known.honoured:
                self._honour(request)

    def know(self, known: Known) -> None:
        """Tells the study of an earlier experiment's trial, once."""
        if known.source not in self.known.sources:
            reports = sorted(known.reports.items())
            told = {"params": known.params, "reports": reports, "outcome": known.outcome}
            self.ledger.write_of_search("known", source=known.source, **told)

    def add(self, settings: Mapping[str, Any], origin: str, request: str = "") -> str:
        """Puts a trial of given settings (dotted paths) in line, outside budget and search; returns its id."""
        return self.proposer.add(settings, origin, request)

    def extend(self, budget: BudgetConfig, last_step: int | None) -> None:
        """Other limits and, unless None, a later end for trials to come, for those that are not over, and for
        those that finished and are worth it."""
        names: list[str] = []
        if last_step is not None:
            records = self.trials.values()
            worthy = self.scheduler.worthy(at_the_end(records, self.objective))
            names = sorted([*unfinished(records), *worthy])
        details = {"budget": budget.model_dump(), "last_step": last_step, "trials": names}
        self.ledger.write_of_search("extended", **details)
        going_on = [name for name in names if self.trials[name].state == "promoted"]
        self._waiting.extend(name for name in going_on if name not in self._waiting)

    def retry_failed(self) -> list[str]:
        """Trials that failed go on where they came to, after those that wait; gives their ids."""
        failed = [record.trial for record in self.trials.values() if record.state == "failed"]
        for trial in failed:
            self.ledger.write("retried", trial)
        self._waiting.extend(failed)
        return failed

    def start(self, trial: str, executed_as: str = "") -> None:
        """`executed_as`: the executor's own name for it, where it has one."""
        self.ledger.write("started", trial, executed_as=executed_as)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        """Takes in one validation; True when the trial must not run on."""
        self.heed()
        record = self.trials[trial]
        is_new = step not in record.reports  # a resumed run tells its last report again
        if record.is_open and is_new:
            self.ledger.write("report", trial, step=step, metrics=_finite(metrics))
            if trial in self.known.verdicts:
                self.ledger.halt(trial, self.known.verdicts[trial])
        if self.is_suspended and step != record.last_step:  # there it ends by itself
            self.suspend(trial)
        return not self._has(trial)

    def suspend(self, trial: str) -> None:
        """A trial that the executor has, if it still has it, goes on another time, as nothing decided about it."""
        if self._has(trial):
            self.ledger.write("suspended", trial, reason="paused by hand")
            self._waiting.append(trial)

    def tested(self, trial: str, step: int, metrics: Mapping[str, float]) -> None:
        """Takes in the score of the checkpoint of `step` on the test split, once."""
        record = self.trials[trial]
        if record.is_open and not record.tested:
            self.ledger.write("tested", trial, step=step, metrics=_finite(metrics))

    def end(self, trial: str, error: str = "") -> None:
        """The executor is done with the trial; one that was stopped, paused or suspended keeps that state."""
        if self._has(trial):
            self.ledger.halt(trial, Verdict("failed" if error else "finished", error))

    def lost(self, trial: str, reason: str) -> None:
        """A process of the trial died: it goes on from its checkpoint, before all others; it has failed where that
        has happened too often without it coming further."""
        if not self._has(trial):
            return
        if self.trials[trial].losses >= self.cluster_of(trial).max_failures:
            self.end(trial, reason)
        else:
            self.ledger.write("suspended", trial, reason=reason, is_lost=True)
            self._waiting.insert(0, trial)

    def _has(self, trial: str) -> bool:
        """Whether the executor has it."""
        return self.trials[trial].is_open and trial not in self._waiting

    def _honour(self, request: Request) -> None:
        if request.kind == "enqueue":
            self.add(request.settings, ENQUEUED, request.name)
        elif request.kind == "stop":
            self._asked_to_stop(self.trials[request.trial], request.name)
        else:
            kind = "suspended" if request.kind == "pause" else "continued"
            self.ledger.write_of_search(kind, request=request.name)

    def _asked_to_stop(self, record: TrialRecord, request: str) -> None:
        if record.is_over:
            return
        self.ledger.write("stop", record.trial, request=request)
        if record.trial in self._waiting or not record.is_open:
            self._stop(record)

    def _stop(self, record: TrialRecord) -> None:
        """Ends a trial that does not run, as a person asked."""
        if record.trial in self._waiting:
            self._waiting.remove(record.trial)
        self.ledger.halt(record.trial, stopped_by_hand(record))

    def _halt_what_is_left(self) -> None:
        """The driver before may have died between an event and what follows from it."""
        for record in self.trials.values():
            if record.is_open and record.trial in self.known.verdicts:
                self.ledger.halt(record.trial, self.known.verdicts[record.trial])
            if record.trial in self.known.to_stop and not record.is_over:
                self._stop(record)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}
