"""Parallel coordinates: a line a trial, across the settings that were searched, to what it came to."""

from collections.abc import Sequence
from math import log10
from typing import Any

from plotly.graph_objects import Parcoords

from raysweep.report.charts import SCALE, charted, figure, plain
from raysweep.report.contest import Comparison, Entry, varied
from raysweep.report.importance import is_logarithmic
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import NOTHING, short, short_names, told
from raysweep.report.wording import figure as written

MOST_AXES = 12
AXIS_WIDTH = 105
"""Pixels below which axes are not read."""
TICKS = 4
"""Parts of an axis."""
MOST_MARKED = 6
"""Values of a setting up to which each is marked."""


def parallel_section(comparison: Comparison) -> Section:
    entries = [entry for entry in comparison.entries if entry.row.score is not None]
    paths = [path for path in varied(entries) if _was_asked(entries, path)][: MOST_AXES - 1]
    if len(entries) < 2 or not paths:
        body = render("note.html", text="It takes two trials with a validation that differ.")
        return Section("parallel", "Parallel coordinates", body)
    names = short_names(paths)
    axes = [_axis(names[path], [it.settings.get(path) for it in entries]) for path in paths]
    result, values = _result(comparison, entries)
    lines = Parcoords(
        dimensions=[*axes, _axis(result, values)],
        line={"color": values, "colorscale": SCALE, "showscale": False},
        labelangle=-20,
        labelside="bottom",
    )
    about = (
        f"A line a trial; the brightest have the highest {result}. Drag along an axis to keep a range of it, "
        "click there to let it go. The leaderboard says the same in numbers."
    )
    chart = figure([lines])
    chart.update_layout(margin={"l": 76, "r": 56, "t": 24, "b": 96})
    width = AXIS_WIDTH * (len(axes) + 1)
    return Section(
        "parallel", "Parallel coordinates", charted("parallel", {"": chart}, about, width)
    )


def _was_asked(entries: Sequence[Entry], path: str) -> bool:
    return any(path in entry.row.settings for entry in entries)


def _result(comparison: Comparison, entries: Sequence[Entry]) -> tuple[str, list[Any]]:
    """Name and values of what ranks first: the weighted sum, or the first goal's metric."""
    objective = comparison.contests[0].objective
    if objective.weights:
        return "score", [entry.row.judged.get("score") for entry in entries]
    metric = objective.goals[0].metric
    return short(metric), [entry.row.metrics.get(metric) for entry in entries]


def _axis(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """None: the trial has no such value, and its line passes below all others."""
    there = [value for value in values if value is not None]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return _named(name, [NOTHING if value is None else told(value) for value in values])
    return _numeric(name, values, is_logarithmic(there))


def _named(name: str, values: Sequence[str]) -> dict[str, Any]:
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return {
        "label": plain(name),
        "values": [places[value] for value in values],
        "tickvals": list(places.values()),
        "ticktext": [plain(value) for value in places],
        "range": [-0.1, max(len(places) - 1, 1) + 0.1],
    }


def _tick(value: float) -> str:
    """Three digits."""
    return written(round(value) if abs(value) >= 100 else float(f"{value:.3g}"))


def _numeric(name: str, values: Sequence[float | None], is_log: bool) -> dict[str, Any]:
    places = [None if it is None else log10(it) if is_log else float(it) for it in values]
    there = [place for place in places if place is not None]
    low, high = min(there), max(there)
    span = high - low or abs(low) or 1.0
    spread = [low + span * part / TICKS for part in range(TICKS + 1)]
    marked = sorted(set(there)) if len(set(there)) <= MOST_MARKED else spread
    ticks = {place: _tick(10**place if is_log else place) for place in marked}
    if None in places:
        low -= span / TICKS
        ticks[low] = NOTHING
    return {
        "label": plain(name),
        "values": [low if place is None else place for place in places],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "range": [low - 0.02 * span, high + 0.02 * span],
    }
