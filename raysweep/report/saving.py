"""What early stopping saved: steps that stopped trials did not train, and the time those would have taken."""

from collections.abc import Sequence
from typing import NamedTuple

from plotly.graph_objects import Bar, Figure

from raysweep.report.charts import ACCENT, SPARED, charted, figure, plain
from raysweep.report.contest import Comparison, Contest, Entry
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import figure as number


class Saving(NamedTuple):
    """Of one trial, or of several together."""

    trained: int
    """Steps."""
    saved: int
    """Steps that would have followed."""
    hours: float
    """That those would have taken, at the trial's own speed; 0 where it trained no step."""
    gpu_hours: float

    @property
    def share(self) -> float:
        """Of all steps, in [0, 1]."""
        return self.saved / (self.trained + self.saved or 1)


def saving_section(comparison: Comparison) -> Section:
    each: dict[str, Saving] = {}
    for contest in comparison.contests:
        each |= savings(comparison, contest)
    body = render("note.html", text=told(in_all(list(each.values()))))
    if any(it.trained for it in each.values()):
        about = (
            "Steps that each trial trained, best first, and those that early stopping spared it."
        )
        body += charted("saving", {"": _bars(comparison.entries, each)}, about)
    return Section("saving", "What early stopping saved", body)


def savings(comparison: Comparison, contest: Contest) -> dict[str, Saving]:
    """Of each trial of the contest, by its entry's key."""
    saved = contest.saved_steps
    own = comparison.of(contest)
    return {entry.key: _saving(entry, saved.get(entry.record.trial, 0)) for entry in own}


def in_all(savings: Sequence[Saving]) -> Saving:
    return (
        Saving(*(sum(column) for column in zip(*savings, strict=True)))
        if savings
        else Saving(0, 0, 0, 0)
    )


def told(saving: Saving) -> str:
    """In a sentence."""
    if not saving.saved:
        return "No trial of the search was stopped early, so nothing was saved."
    gpus = (
        f"{number(saving.gpu_hours)} GPU-hours"
        if saving.gpu_hours
        else "no GPU-hours, as trials took no GPU"
    )
    return (
        f"Stopping early saved {saving.saved:,} of {saving.trained + saving.saved:,} steps ({saving.share:.0%}): "
        f"about {number(saving.hours)} hours of trials at their own speed, and {gpus}."
    )


def _saving(entry: Entry, saved: int) -> Saving:
    steps = entry.row.steps
    hours = saved * entry.seconds / steps / 3600 if steps else 0.0
    return Saving(steps, saved, hours, hours * entry.gpus)


def _bars(entries: Sequence[Entry], each: dict[str, Saving]) -> Figure:
    columns = {"trained": (ACCENT, 0), "saved by stopping early": (SPARED, 1)}
    bars = [
        Bar(
            x=[plain(entry.label) for entry in entries],
            y=[each[entry.key][which] for entry in entries],
            name=name,
            marker={"color": colour},
            hovertemplate="%{x}: %{y:,} steps " + name + "<extra></extra>",
        )
        for name, (colour, which) in columns.items()
    ]
    return figure(
        bars,
        barmode="stack",
        xaxis={"type": "category", "title": {"text": "trial, best first"}, "automargin": True},
        yaxis={"title": {"text": "steps"}, "rangemode": "tozero"},
        showlegend=True,
    )
