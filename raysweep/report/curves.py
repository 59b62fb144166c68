"""Learning curves: each trial's validations, when its GAN began, and where early stopping ended it."""

from math import isfinite
from typing import Any

from raysweep.report.charts import PALETTE
from raysweep.report.contest import Comparison, Entry, metrics_of
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import short

DIGITS = 6
"""Of the values that are drawn."""


def curves_section(comparison: Comparison) -> Section:
    data = {
        "metrics": {name: short(name) for name in metrics_of(comparison.entries)},
        "palette": PALETTE,
        "trials": [_curve(comparison, entry) for entry in comparison.entries],
    }
    is_there = any(entry.record.reports for entry in comparison.entries)
    return Section("curves", "Learning curves", render("curves.html", data=data, is_there=is_there))


def _curve(comparison: Comparison, entry: Entry) -> dict[str, Any]:
    reports = entry.record.reports
    steps = sorted(reports)
    names = {name for step in steps for name in reports[step] if name.startswith("val/")}
    best = comparison.best_of(entry)
    return {
        "key": entry.key,
        "label": entry.label,
        "state": entry.record.state,
        "best": None if best is None else best.key,
        "gan": entry.gan_from,
        "steps": steps,
        "values": {name: [_shown(reports[step].get(name)) for step in steps] for name in names},
    }


def _shown(value: float | None) -> float | None:
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")
