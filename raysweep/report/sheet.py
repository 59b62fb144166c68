"""The comparison as a table for other programs: CSV, and JSON with all validations."""

import csv
import io
import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from raysweep.report.contest import Comparison, Contest, Entry
from raysweep.report.importance import importances
from raysweep.report.saving import in_all, savings
from raysweep.report.trials import repeats


def as_csv(comparison: Comparison) -> str:
    """A line a trial, best first: its figures at its best validation, and what was set."""
    lines = [_line(entry) for entry in comparison.entries]
    columns = dict.fromkeys(name for line in lines for name in line)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(columns) or list(FIXED), restval="")
    table.writeheader()
    table.writerows(lines)
    return text.getvalue()


def as_json(comparison: Comparison) -> str:
    """What is not finite is null: JSON has no word for it."""
    tree = {
        "differences": comparison.differences,
        "experiments": [_of_contest(comparison, contest) for contest in comparison.contests],
        "trials": [_of_entry(entry) for entry in comparison.entries],
    }
    return json.dumps(_finite(tree), indent=1, allow_nan=False)


FIXED = (
    "experiment",
    "trial",
    "place",
    "state",
    "given",
    "steps",
    "best_step",
    "seconds",
    "reason",
)


def _line(entry: Entry) -> dict[str, Any]:
    row = entry.row
    values = (
        *(entry.contest.name, row.trial, entry.place, row.state, entry.given, row.steps),
        *(row.best_step, round(entry.seconds, 1), row.reason),
    )
    fixed = dict(zip(FIXED, values, strict=True))
    return {**fixed, **row.judged, **row.metrics, **row.tested, **row.settings}


def _of_contest(comparison: Comparison, contest: Contest) -> dict[str, Any]:
    return {
        "name": contest.name,
        "where": contest.experiment.where,
        "ranked_by": contest.ranked_by,
        "is_driven": contest.is_driven,
        "mean_colour_psnr": contest.mean_colour_psnr,
        "early_stopping": in_all(list(savings(comparison, contest).values()))._asdict(),
        "importance": {
            it.goal: it.of for it in importances(contest.objective, comparison.of(contest))
        },
    }


def _of_entry(entry: Entry) -> dict[str, Any]:
    line = _line(entry)
    return {
        **{name: line[name] for name in FIXED},
        "judged": entry.row.judged,
        "metrics": entry.row.metrics,
        "tested": entry.row.tested,
        "settings": entry.settings,
        "validations": {str(step): it for step, it in sorted(entry.record.reports.items())},
        "repeat": repeats(entry),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
