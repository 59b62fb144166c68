"""Parallel coordinates: a line a trial, across the settings that were searched, to what it came to.

Inselberg 1985, "The Plane with Parallel Coordinates". Drawn as lines rather than by plotly's `parcoords`, which needs
WebGL, compiles code as it runs and does not say which trial a line is.
"""

from collections.abc import Sequence
from math import log10
from typing import Any, NamedTuple

from plotly.graph_objects import Figure, Scatter

from raysweep.report.charts import ACCENT, PALETTE, REST, charted, figure, plain
from raysweep.report.contest import Comparison, Entry, by_place, varied
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
ABSENT = -0.15
"""Where lines pass of trials that have no such setting; values are from 0 to 1."""
GROUPS = ((0.1, "best tenth", ACCENT, 2.5), (1 / 3, "best third", PALETTE[5], 1.5))
"""Of the trials: up to which share, what they are called, their colour and width."""


class Axis(NamedTuple):
    name: str
    places: list[float]
    """Of each trial, from 0 at the bottom to 1, or ABSENT."""
    values: list[str]
    """Of each trial, in words."""
    ticks: dict[float, str]


def parallel_section(comparison: Comparison) -> Section:
    entries = by_place(entry for entry in comparison.entries if entry.row.score is not None)
    paths = [path for path in varied(entries) if _was_asked(entries, path)][: MOST_AXES - 1]
    if len(entries) < 2 or not paths:
        body = render("note.html", text="It takes two trials with a validation that differ.")
        return Section("parallel", "Parallel coordinates", body)
    names = short_names(paths)
    axes = [axis_of(names[path], [it.settings.get(path) for it in entries]) for path in paths]
    axes.append(axis_of(*_result(comparison, entries)))
    about = (
        "A line a trial, across its settings to what it came to. The legend hides and shows groups; a click on a "
        "line opens the trial."
    )
    width = AXIS_WIDTH * len(axes)
    body = charted("parallel", {"": _drawn(entries, axes)}, about, width)
    return Section("parallel", "Parallel coordinates", body)


def axis_of(name: str, values: Sequence[Any]) -> Axis:
    """None: the trial has no such setting."""
    there = [value for value in values if value is not None]
    if there and all(_is_number(value) for value in there):
        return _numeric(name, values, is_logarithmic(there))
    words = [None if value is None else told(value) for value in values]
    known = sorted({word for word in words if word is not None})
    places = {word: number / max(1, len(known) - 1) for number, word in enumerate(known)}
    return _axis(name, words, places, {place: word for word, place in places.items()})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(name: str, values: Sequence[float | None], is_log: bool) -> Axis:
    scaled = {it: log10(it) if is_log else float(it) for it in values if it is not None}
    low, high = min(scaled.values()), max(scaled.values())
    span = high - low or 1.0
    places = {value: (it - low) / span for value, it in scaled.items()}
    if len(places) <= MOST_MARKED:
        return _axis(name, values, places, {place: _tick(it) for it, place in places.items()})
    marks = [low + span * part / TICKS for part in range(TICKS + 1)]
    ticks = {(it - low) / span: _tick(10**it if is_log else it) for it in marks}
    return _axis(name, values, places, ticks)


def _axis(
    name: str, values: Sequence[Any], places: dict[Any, float], ticks: dict[float, str]
) -> Axis:
    at = [ABSENT if value is None else places[value] for value in values]
    absent = {ABSENT: NOTHING} if ABSENT in at else {}
    words = [NOTHING if value is None else told(value) for value in values]
    return Axis(name, at, words, ticks | absent)


def _tick(value: float) -> str:
    """Three digits."""
    return written(round(value) if abs(value) >= 100 else float(f"{value:.3g}"))


def _was_asked(entries: Sequence[Entry], path: str) -> bool:
    return any(path in entry.row.settings for entry in entries)


def _result(comparison: Comparison, entries: Sequence[Entry]) -> tuple[str, list[Any]]:
    """Name and values of what ranks first: the weighted sum, where all have it, or the first goal's metric."""
    objective = comparison.contests[0].objective
    if objective.weights and not comparison.differences:
        return "score", [entry.row.judged.get("score") for entry in entries]
    metric = objective.goals[0].metric
    return short(metric), [entry.row.metrics.get(metric) for entry in entries]


def _drawn(entries: Sequence[Entry], axes: Sequence[Axis]) -> Figure:
    """The best above the others."""
    shares = [number / len(entries) for number in range(len(entries))]
    lines, since = [], 0.0
    for until, name, colour, width in (*GROUPS, (1.0, "others", REST, 1.0)):
        group = [number for number, share in enumerate(shares) if since <= share < until]
        lines.append(_lines(entries, axes, group, name, {"color": colour, "width": width}))
        since = until
    names = [plain(axis.name) for axis in axes]
    chart = figure(lines[::-1], showlegend=True, annotations=_tick_texts(axes))
    chart.update_layout(legend={"traceorder": "reversed"}, margin={"l": 24, "r": 64, "b": 48})
    across = list(range(len(axes)))
    chart.update_xaxes(
        tickvals=across, ticktext=names, range=[-0.35, len(axes) - 0.6], zeroline=False
    )
    lowest = min(place for axis in axes for place in axis.places)
    return chart.update_yaxes(visible=False, range=[lowest - 0.05, 1.05])


def _lines(
    entries: Sequence[Entry],
    axes: Sequence[Axis],
    group: Sequence[int],
    name: str,
    line: dict[str, Any],
) -> Scatter:
    """One trace with gaps."""
    across = [*range(len(axes)), None]
    return Scatter(
        x=across * len(group),
        y=[it for number in group for it in (*(axis.places[number] for axis in axes), None)],
        mode="lines",
        name=name,
        line=line,
        text=[it for number in group for it in (*_hovers(entries[number], axes, number), "")],
        customdata=[entries[number].key for number in group for _ in across],
        hoverinfo="text",
    )


def _hovers(entry: Entry, axes: Sequence[Axis], number: int) -> list[str]:
    return [plain(f"{entry.label}: {axis.name} {axis.values[number]}") for axis in axes]


def _tick_texts(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    shared = {
        "showarrow": False,
        "font": {"size": 11},
        "borderpad": 1,
        "xanchor": "left",
        "xshift": 3,
    }
    return [
        {"x": place, "y": at, "text": plain(text), **shared}
        for place, axis in enumerate(axes)
        for at, text in axis.ticks.items()
    ]
