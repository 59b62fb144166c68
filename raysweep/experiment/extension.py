"""A search that is given more, limits or steps: an event says so, and sweep.yaml stays what was asked."""

from collections.abc import Iterable

from raysweep.config import SweepConfig
from raysweep.experiment.events import Event
from raysweep.experiment.records import TrialRecord
from raysweep.schema import parse
from raysweep.search.budget import BudgetConfig
from raysweep.search.objective import Objective, Score


def extended(sweep: SweepConfig, event: Event) -> SweepConfig:
    """What is asked of the search from the extension on."""
    return sweep.extended(parse(BudgetConfig, event["budget"]), event["last_step"])


def at_the_end(trials: Iterable[TrialRecord], objective: Objective) -> dict[str, Score]:
    """Trials of the search that finished where its runs end now, and their scores there."""
    searched = [record for record in trials if record.is_searched]
    end = max((record.last_step for record in searched), default=0)
    there = [r for r in searched if r.state == "finished" and r.step == r.last_step == end]
    scores = {r.trial: objective.score(r.reports[r.step]) for r in there}
    return {trial: score for trial, score in scores.items() if score is not None}


def unfinished(trials: Iterable[TrialRecord]) -> list[str]:
    """Trials of the search that are not over, and whose length is known."""
    searched = [record for record in trials if record.is_searched and record.last_step]
    return [record.trial for record in searched if not record.is_over]
