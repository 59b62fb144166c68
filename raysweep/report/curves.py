"""Learning curves: each trial's validations, when its GAN began, and where early stopping ended it."""

from math import isfinite
from typing import Any

from raysweep.report.charts import PALETTE
from raysweep.report.contest import Comparison, Entry, by_place, metrics_of
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import short

DIGITS = 6
"""Of the values that are drawn."""


def curves_section(comparison: Comparison) -> Section:
    shown = by_place(entry for entry in comparison.entries if entry.record.reports)
    colours = dict(zip((entry.key for entry in shown), PALETTE, strict=False))
    data = {
        "metrics": {name: short(name) for name in metrics_of(comparison.entries)},
        "trials": [
            _curve(comparison, entry, colours.get(entry.key)) for entry in comparison.entries
        ],
    }
    return Section(
        "curves", "Learning curves", render("curves.html", data=data, is_there=bool(shown))
    )


def _curve(comparison: Comparison, entry: Entry, colour: str | None) -> dict[str, Any]:
    """`colour`: None: one of many."""
    reports = entry.record.reports
    steps = sorted(reports)
    names = {name for step in steps for name in reports[step] if name.startswith("val/")}
    best = comparison.best_of(entry)
    return {
        "key": entry.key,
        "label": entry.label,
        "state": entry.record.state,
        "colour": colour,
        "best": None if best is None else best.key,
        "gan": entry.gan_from,
        "steps": steps,
        "values": {name: [_shown(reports[step].get(name)) for step in steps] for name in names},
    }


def _shown(value: float | None) -> float | None:
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")
