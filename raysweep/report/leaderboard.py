"""The table of all trials, best first, with baselines among them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from raysweep.report.contest import Comparison, Contest, Entry, metrics_of, varied
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import figure, short, short_names, told
from raysweep.spelling import in_time


class Cell(NamedTuple):
    text: str
    value: str | float
    """What it is sorted by; empty text: nothing, which is last either way."""


class Column(NamedTuple):
    heading: str
    meaning: str
    """Longer than the heading; may be empty."""
    is_number: bool
    cell: Callable[[Entry], Cell]


class Line(NamedTuple):
    key: str
    """Of its trial; empty: a baseline that no trial is."""
    kind: str
    """`trial`, `given` (a person's, or an earlier find) or `baseline`."""
    label: str
    state: str
    cells: list[Cell]


EMPTY = Cell("", "")
LOSSES = "val/loss/"
"""How figures begin that each trial's own part shows alone."""


def leaderboard_section(comparison: Comparison) -> Section:
    columns = list(_columns(comparison))
    lines = [*_lines(comparison, columns), *_baselines(comparison, columns)]
    states = sorted({line.state for line in lines if line.state})
    body = render("leaderboard.html", columns=columns, lines=lines, states=states)
    return Section("leaderboard", "Leaderboard", body)


def _lines(comparison: Comparison, columns: list[Column]) -> Iterator[Line]:
    for entry in comparison.entries:
        kind = "given" if entry.given else "trial"
        cells = [column.cell(entry) for column in columns]
        yield Line(entry.key, kind, entry.label, entry.state, cells)


def _baselines(comparison: Comparison, columns: list[Column]) -> Iterator[Line]:
    """What costs nothing: each validation frame's mean colour."""
    for contest in comparison.contests:
        if contest.mean_colour_psnr is not None:
            cells = [_baseline_cell(contest, column) for column in columns]
            whose = f" of {contest.name}" if len(comparison.contests) > 1 else ""
            yield Line("", "baseline", f"mean colour{whose}", "baseline", cells)


def _baseline_cell(contest: Contest, column: Column) -> Cell:
    return _number(contest.mean_colour_psnr) if column.meaning == "val/psnr" else EMPTY


def _columns(comparison: Comparison) -> Iterator[Column]:
    """The first is the place; those that would be empty are left out."""
    entries = comparison.entries
    yield Column("place", "1 is the best", True, lambda it: _number(it.place))
    yield Column("state", "", False, lambda it: _text(it.state))
    if any(entry.given for entry in entries):
        yield Column("given as", "who gave its settings", False, lambda it: _text(it.given))
    for name in dict.fromkeys(name for entry in entries for name in entry.row.judged):
        yield Column(name, _JUDGED[name], True, _on_front if name == "front" else _judged(name))
    if any(entry.row.broken for entry in entries):
        yield Column("breaks", "constraints", False, lambda it: _text(", ".join(it.row.broken)))
    for metric in metrics_of(entries):
        if not metric.startswith(LOSSES):
            yield Column(short(metric), metric, True, _metric(metric))
    for path, name in short_names(varied(entries)).items():
        if any(path in entry.row.settings for entry in entries):
            yield Column(name, path, _all_numbers(entries, path), _setting(path))
    yield Column("steps", "trained in all", True, lambda it: _number(it.row.steps))
    yield Column("best at", "step of the validation shown", True, _best_step)
    yield Column("time", "at work, without rests", True, _time)


_JUDGED = {
    "score": "weighted sum of the goals",
    "front": "*: on the Pareto front",
    "violation": "how far from keeping the constraints",
}


def _best_step(entry: Entry) -> Cell:
    return _number(entry.row.best_step)


def _time(entry: Entry) -> Cell:
    return Cell(in_time(entry.seconds), round(entry.seconds, 3)) if entry.seconds else EMPTY


def _on_front(entry: Entry) -> Cell:
    front = entry.row.judged.get("front")
    return EMPTY if front is None else Cell("*" if front else "no", front)


def _judged(name: str) -> Callable[[Entry], Cell]:
    return lambda entry: _number(entry.row.judged.get(name))


def _metric(name: str) -> Callable[[Entry], Cell]:
    return lambda entry: _number(entry.row.metrics.get(name))


def _setting(path: str) -> Callable[[Entry], Cell]:
    def cell(entry: Entry) -> Cell:
        if path not in entry.settings:
            return EMPTY
        value = entry.settings[path]
        return Cell(told(value), value if _is_number(value) else told(value))

    return cell


def _all_numbers(entries: Sequence[Entry], path: str) -> bool:
    return all(_is_number(it.settings[path]) for it in entries if path in it.settings)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float | None) -> Cell:
    return EMPTY if value is None else Cell(figure(value), value)


def _text(text: str) -> Cell:
    return Cell(text, text)
