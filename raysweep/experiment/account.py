"""What became of a sweep, as its event log tells it: trials, budget, and what is asked of it now."""

from collections.abc import Iterable

from raysweep.config import SweepConfig
from raysweep.experiment.events import Event
from raysweep.experiment.extension import extended
from raysweep.experiment.records import Records, TrialRecord, apply, prolong
from raysweep.schema import parse
from raysweep.search.budget import Budget, BudgetConfig
from raysweep.search.objective import Objective

BETWEEN_DRIVERS = ("closed", "restarted", "opened")
"""Kinds of events up to which nothing was spent since the one before: no driver was at work, or it had only begun."""


class Account:
    """Learns one event at a time, new or read."""

    def __init__(
        self, sweep: SweepConfig, objective: Objective, events: Iterable[Event] = ()
    ) -> None:
        self.sweep, self.objective = sweep, objective
        self.trials, self.budget = Records(), Budget(sweep.budget)
        self.is_suspended = False
        """Whether a person has paused the whole, and no driver has begun since."""
        for event in events:
            self.learn(event)

    def learn(self, event: Event) -> None:
        if event["trial"]:
            _spend(self.budget, event, apply(self.trials, event), self.objective)
            return
        _spend_in_all(self.budget, event)
        if event["kind"] in ("suspended", "continued", "opened"):
            self.is_suspended = event["kind"] == "suspended"
        if event["kind"] == "extended":
            prolong(self.trials, event)
            self.sweep = extended(self.sweep, event)


def _spend(budget: Budget, event: Event, record: TrialRecord, objective: Objective) -> None:
    """Tells of an event of a trial, once its record knows of it; trials that a person added only take time."""
    budget.pass_time(event["time"])
    if not record.is_searched:
        return
    trial = record.trial
    if event["kind"] == "proposed":
        budget.proposed(trial, event.get("gpus", 0.0))
    elif event["kind"] == "started":
        budget.started(trial)
    elif event["kind"] == "report":
        budget.report(trial, event["step"], objective.score(event["metrics"]))
    elif event["kind"] in ("paused", "suspended"):
        budget.paused(trial)
    elif event["kind"] == "retried":
        budget.retried()
    elif event["kind"] == "ended":
        budget.ended(trial, event["state"], record.last_step)


def _spend_in_all(budget: Budget, event: Event) -> None:
    """Tells of an event of the whole search."""
    if event["kind"] in BETWEEN_DRIVERS:
        budget.opened(event["time"])
    else:
        budget.pass_time(event["time"])
    if event["kind"] == "extended":
        budget.extended(parse(BudgetConfig, event["budget"]))
    elif event["kind"] == "exhausted":
        budget.exhausted(event["settings"])
