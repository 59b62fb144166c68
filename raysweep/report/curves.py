"""Learning curves: each trial's validations and losses, when its GAN began, and where it was stopped."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from raysweep.report.charts import PALETTE
from raysweep.report.contest import Comparison, Entry, by_place, metrics_of
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.training_curves import training_curves
from raysweep.report.wording import short

DIGITS = 6
"""Of the values that are drawn."""


def curves_section(comparison: Comparison) -> Section:
    shown = by_place(entry for entry in comparison.entries if entry.record.reports)
    colours = dict(zip((entry.key for entry in shown), PALETTE, strict=False))
    trials = [_curve(comparison, entry, colours.get(entry.key)) for entry in comparison.entries]
    drawn = dict.fromkeys(name for trial in trials for name in trial["values"])
    metrics = dict.fromkeys([*metrics_of(comparison.entries), *drawn])
    data = {"metrics": {name: short(name) for name in metrics}, "trials": trials}
    body = render("curves.html", data=data, is_there=bool(drawn))
    return Section("curves", "Learning curves", body)


def _curve(comparison: Comparison, entry: Entry, colour: str | None) -> dict[str, Any]:
    """`colour`: None: one of many."""
    steps = sorted(entry.record.reports)
    trained = training_curves(entry.contest.experiment.trial(entry.record.trial) / "metrics.jsonl")
    best = comparison.best_of(entry)
    return {
        "key": entry.key,
        "label": entry.label,
        "state": entry.state,
        "colour": colour,
        "best": None if best is None else best.key,
        "gan": entry.gan_from,
        "steps": {"val": steps, "train": trained.steps},
        "values": {
            name: [_shown(it) for it in values]
            for name, values in (_validations(entry, steps) | trained.values).items()
        },
    }


def _validations(entry: Entry, steps: Sequence[int]) -> dict[str, list[float | None]]:
    reports = entry.record.reports
    names = dict.fromkeys(name for step in steps for name in reports[step])
    return {
        name: [reports[step].get(name) for step in steps]
        for name in names
        if name.startswith("val/")
    }


def _shown(value: float | None) -> float | None:
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")
