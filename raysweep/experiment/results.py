"""Tables out of events: who is best, and what each trial came to."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raysweep.errors import ExperimentError
from raysweep.experiment.records import TrialRecord
from raysweep.search.objective import Objective, Score
from raysweep.search.ranking import best_first


@dataclass(frozen=True)
class Row:
    """One trial at its best validation."""

    trial: str
    origin: str
    """As TrialRecord.origin: `space`, or who added the trial."""
    state: str
    steps: int
    """Steps trained in all."""
    best_step: int | None
    metrics: Mapping[str, float]
    """Of the best validation by the objective; empty when there is none."""
    score: Score | None
    """The same validation's; None when there is none."""
    settings: Mapping[str, Any]
    reason: str
    seconds: float
    tested: Mapping[str, float] = field(default_factory=dict)
    """As TrialRecord.tested."""


def leaderboard(trials: Iterable[TrialRecord], objective: Objective) -> list[Row]:
    """Best first; trials without a finite score last. All were scored on the same frames, with the same weights:
    `commands/sweep.py` holds each to the experiment's fingerprint before it runs."""
    rows = {record.trial: _row(record, objective) for record in trials}
    scores = {row.trial: row.score for row in rows.values() if row.score is not None}
    unscored = [trial for trial in rows if trial not in scores]
    return [rows[trial] for trial in (*best_first(scores), *unscored)]


def best(rows: Iterable[Row]) -> Row:
    """The first row with a score; ExperimentError when there is none."""
    for row in rows:
        if row.best_step is not None:
            return row
    raise ExperimentError(
        "no trial has a validation yet, so none is best. Look at the states with `raysweep status`, "
        "or let the sweep run on with `raysweep resume`."
    )


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """One line a trial: state, steps, metrics and settings, best first."""
    rows = list(rows)
    metrics = sorted({name for row in rows for name in (*row.metrics, *row.tested)})
    settings = sorted({name for row in rows for name in row.settings})
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "trial",
                "state",
                "origin",
                "steps",
                "best_step",
                "seconds",
                "reason",
                *metrics,
                *settings,
            ]
        )
        for row in rows:
            fixed = [
                row.trial,
                row.state,
                row.origin,
                row.steps,
                row.best_step,
                round(row.seconds, 1),
                row.reason,
            ]
            figures = {**row.metrics, **row.tested}
            measured = [figures.get(name, "") for name in metrics]
            table.writerow(fixed + measured + [row.settings.get(name, "") for name in settings])
    partial.replace(path)


def _row(record: TrialRecord, objective: Objective) -> Row:
    scores = {step: objective.score(metrics) for step, metrics in record.reports.items()}
    scored = {step: score for step, score in scores.items() if score is not None}
    best_step = _best_step(scored, objective)
    return Row(
        trial=record.trial,
        origin=record.origin,
        state=record.state,
        steps=record.step,
        best_step=best_step,
        metrics={} if best_step is None else record.reports[best_step],
        score=None if best_step is None else scored[best_step],
        settings=record.settings,
        reason=record.reason,
        seconds=max(0.0, record.ended - record.started),
        tested=record.tested,
    )


def _best_step(scored: Mapping[int, Score], objective: Objective) -> int | None:
    """The latest one for several goals: of a trial's own validations none is best in all."""
    if not scored:
        return None
    return max(scored) if objective.is_pareto else best_first(scored)[0]
