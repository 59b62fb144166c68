"""Tables out of events: who is best, and what each trial came to."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from raysweep.errors import ExperimentError
from raysweep.experiment.records import TrialRecord
from raysweep.search.objective import Objective, Score
from raysweep.search.ranking import best_first, front, ranks


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
    broken: tuple[str, ...]
    """The constraints that it does not keep."""
    judged: Mapping[str, float]
    """What the objective makes of it, by column: `score` of weighted goals, `front` (1: on it, 0: not) of several
    without weights, `violation` of constraints."""
    settings: Mapping[str, Any]
    reason: str
    seconds: float
    tested: Mapping[str, float] = field(default_factory=dict)
    """As TrialRecord.tested."""


def leaderboard(trials: Iterable[TrialRecord], objective: Objective) -> list[Row]:
    """Best first; trials without a finite score last. Of several goals without weights the Pareto front is first,
    and within a front the first goal decides.

    All were scored on the same frames, with the same weights: `commands/sweep.py` holds each to the experiment's
    fingerprint before it runs.
    """
    rows = {record.trial: _row(record, objective) for record in trials}
    scores = {row.trial: row.score for row in rows.values() if row.score is not None}
    best = set(front(scores))
    ranked = [
        replace(rows[trial], judged=_judged(objective, scores[trial], trial in best))
        for trial in _in_order(scores)
    ]
    return ranked + [row for row in rows.values() if row.score is None]


def on_front(rows: Iterable[Row]) -> list[Row]:
    """ExperimentError when there is none."""
    found = [row for row in rows if row.judged.get("front")]
    if not found:
        raise ExperimentError(
            "the Pareto front is of several objectives without weights, and holds validated trials that keep the "
            "constraints: here there is none. Name a trial, or best; `raysweep status` lists them."
        )
    return found


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
    judged = list(dict.fromkeys(name for row in rows for name in row.judged))
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
                *judged,
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
            measured = [row.judged.get(name, "") for name in judged]
            measured += [figures.get(name, "") for name in metrics]
            table.writerow(fixed + measured + [row.settings.get(name, "") for name in settings])
    partial.replace(path)


def _row(record: TrialRecord, objective: Objective) -> Row:
    scores = {step: objective.score(metrics) for step, metrics in record.reports.items()}
    scored = {step: score for step, score in scores.items() if score is not None}
    best_step = _best_step(scored, objective)
    metrics = {} if best_step is None else record.reports[best_step]
    return Row(
        trial=record.trial,
        origin=record.origin,
        state=record.state,
        steps=record.step,
        best_step=best_step,
        metrics=metrics,
        score=None if best_step is None else scored[best_step],
        broken=tuple(map(str, objective.broken(metrics))),
        judged={},
        settings=record.settings,
        reason=record.reason,
        seconds=max(0.0, record.ended - record.started),
        tested=record.tested,
    )


def _in_order(scores: Mapping[str, Score]) -> list[str]:
    ranked = ranks(scores)
    return sorted(scores, key=lambda trial: (*ranked[trial][:2], -scores[trial].values[0]))


def _judged(objective: Objective, score: Score, is_on_front: bool) -> dict[str, float]:
    columns: dict[str, float] = {}
    if objective.weights:
        columns["score"] = score.values[0]
    if objective.is_pareto:
        columns["front"] = int(is_on_front)
    if objective.constraints:
        columns["violation"] = score.violation
    return columns


def _best_step(scored: Mapping[int, Score], objective: Objective) -> int | None:
    """The latest one for several goals: of a trial's own validations none is best in all."""
    if not scored:
        return None
    return max(scored) if objective.is_pareto else best_first(scored)[0]
