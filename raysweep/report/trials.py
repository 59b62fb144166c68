"""A part of the page for each trial: how it was set, against the best, what became of it, and how to repeat it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from raysweep.experiment.events import Event
from raysweep.report.contest import Comparison, Entry, metrics_of, varied
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import NOTHING, figure, short, told

WENT_WRONG = ("failed", "diverged")
UNTOLD = ("report", "tested")
"""Kinds of events that the history leaves out: the figures tell."""


class Beside(NamedTuple):
    """A setting or a figure of a trial, beside the best trial's."""

    name: str
    here: str
    best: str
    differs: bool


class Happened(NamedTuple):
    time: str
    """UTC."""
    what: str
    reason: str


class Told(NamedTuple):
    """What the page says of one trial."""

    entry: Entry
    is_best: bool
    best: Entry | None
    settings: list[Beside]
    figures: list[Beside]
    history: list[Happened]
    went_wrong: bool
    command: str


def trials_section(comparison: Comparison) -> Section:
    histories = [_histories(contest.events) for contest in comparison.contests]
    paths, metrics = varied(comparison.entries), metrics_of(comparison.entries)
    of = dict(zip([contest.name for contest in comparison.contests], histories, strict=True))
    trials = [
        _told(comparison, entry, of[entry.contest.name].get(entry.record.trial, []), paths, metrics)
        for entry in comparison.entries
    ]
    return Section("trials", "Each trial", render("trials.html", trials=trials))


def repeats(entry: Entry) -> str:
    """The command that runs a trial's settings again, as a further trial beside it."""
    return f"raysweep train --from {entry.contest.experiment.as_word} --trial {entry.record.trial}"


def _told(
    comparison: Comparison,
    entry: Entry,
    history: list[Happened],
    paths: Sequence[str],
    metrics: Sequence[str],
) -> Told:
    best = comparison.best_of(entry)
    settings: Mapping[str, Any] = {} if best is None else best.settings
    figures: Mapping[str, float] = {} if best is None else best.row.metrics
    return Told(
        entry=entry,
        is_best=best is entry,
        best=best,
        settings=[_beside(path, path, entry.settings, settings, told) for path in paths],
        figures=[_beside(short(it), it, entry.row.metrics, figures, figure) for it in metrics],
        history=history,
        went_wrong=entry.record.state in WENT_WRONG,
        command=repeats(entry),
    )


def _beside(
    name: str,
    path: str,
    here: Mapping[str, Any],
    best: Mapping[str, Any],
    write: Callable[[Any], str],
) -> Beside:
    """With all digits where fewer would not tell them apart."""
    exact = [repr(values[path]) if path in values else NOTHING for values in (here, best)]
    texts = [write(values[path]) if path in values else NOTHING for values in (here, best)]
    differs = exact[0] != exact[1]
    mine, theirs = exact if differs and texts[0] == texts[1] else texts
    return Beside(name, mine, theirs, differs)


def _histories(events: Iterable[Event]) -> dict[str, list[Happened]]:
    """By trial."""
    found: dict[str, list[Happened]] = {}
    for event in events:
        if event["trial"] and event["kind"] not in UNTOLD:
            what = event["state"] if event["kind"] == "ended" else event["kind"]
            told = Happened(clock(event["time"]), what, event.get("reason", ""))
            found.setdefault(event["trial"], []).append(told)
    return found


def clock(seconds: float) -> str:
    """Since the epoch -> `2026-11-21 21:05:33`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
