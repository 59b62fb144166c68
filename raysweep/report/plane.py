"""The rate-distortion plane: what quality trials reach at how many bits a pixel, and which none beats in both."""

from collections.abc import Sequence

from plotly.graph_objects import Figure, Scatter

from raysweep.metrics import direction
from raysweep.report.charts import ACCENT, PALETTE, REST, STATES, charted, figure, plain
from raysweep.report.contest import Comparison, Contest, Entry, metrics_of
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import figure as written
from raysweep.report.wording import short
from raysweep.search.objective import Score
from raysweep.search.ranking import front

RATES = ("val/bits_per_pixel", "val/entropy_bits_per_pixel")
"""Of the codes as they are, and as an entropy coder would write them."""
DISTORTIONS = ("val/psnr", "val/lpips", "val/lpips_random", "val/ssim", "val/rfid")


MOST_NAMED = 12
"""Trials on the front up to which each has its name beside it."""


def plane_section(comparison: Comparison) -> Section:
    measured = metrics_of(comparison.entries)
    figures = {
        f"{short(distortion)} at {short(rate)}": _plane(comparison, rate, distortion)
        for distortion in DISTORTIONS
        for rate in RATES
        if distortion in measured and rate in measured
    }
    about = (
        "Each trial at its best validation, a cross where it was stopped and a triangle where it failed. The "
        "line joins those that no other beats in both. A click opens the trial."
    )
    body = charted("plane", figures, about, label="Axes") if figures else _nothing()
    return Section("plane", "Rate and distortion", body)


def pareto_front(entries: Sequence[Entry], rate: str, distortion: str) -> list[Entry]:
    """Of entries that have both metrics, the cheapest first."""
    sign = 1.0 if direction(distortion) == "max" else -1.0
    scores = {
        entry.key: Score((-entry.row.metrics[rate], sign * entry.row.metrics[distortion]))
        for entry in entries
    }
    best = set(front(scores))
    found = [entry for entry in entries if entry.key in best]
    return sorted(found, key=lambda entry: entry.row.metrics[rate])


def _plane(comparison: Comparison, rate: str, distortion: str) -> Figure:
    there = [it for it in comparison.entries if {rate, distortion} <= it.row.metrics.keys()]
    traces = []
    groups = _groups(comparison, distortion)
    for group in groups:
        peers = [entry for entry in there if entry.contest in group]
        if not peers:
            continue
        best = pareto_front(peers, rate, distortion)
        whose = group if groups[1:] else ()
        traces.append(_line(comparison, whose, best, rate, distortion))
        for contest in group:
            own = [entry for entry in peers if entry.contest is contest]
            traces.append(
                _points(own, rate, distortion, contest.name, _colour(comparison, contest), best)
            )
    way = "higher" if direction(distortion) == "max" else "lower"
    return figure(
        traces,
        xaxis={"title": {"text": f"{short(rate)} (lower is better)"}},
        yaxis={"title": {"text": f"{short(distortion)} ({way} is better)"}},
        showlegend=True,
    )


def _groups(comparison: Comparison, distortion: str) -> list[Sequence[Contest]]:
    """Those whose scores compare, parted where they measured the distortion with different networks."""
    found: list[Sequence[Contest]] = []
    for group in comparison.groups:
        apart: dict[str | None, list[Contest]] = {}
        for contest in group:
            weights = contest.recorded.weights.get(distortion) if contest.recorded else None
            apart.setdefault(weights, []).append(contest)
        found += apart.values()
    return found


def _colour(comparison: Comparison, contest: Contest) -> str | None:
    """None: there is no other one."""
    number = comparison.contests.index(contest)
    return PALETTE[number % len(PALETTE)] if comparison.contests[1:] else None


def _line(
    comparison: Comparison,
    group: Sequence[Contest],
    best: Sequence[Entry],
    rate: str,
    distortion: str,
) -> Scatter:
    """The front of the experiments in `group`; empty: of all."""
    names = " and ".join(contest.name for contest in group)
    name = f"Pareto front of {names}" if group else "Pareto front"
    colour = _colour(comparison, group[0]) if group else ACCENT
    return Scatter(
        x=[entry.row.metrics[rate] for entry in best],
        y=[entry.row.metrics[distortion] for entry in best],
        mode="lines+text" if len(best) <= MOST_NAMED else "lines",
        name=plain(name),
        text=[plain(entry.label) for entry in best],
        textposition="top left",
        cliponaxis=False,
        line={"color": colour, "width": 2, "dash": "dot"},
        hoverinfo="skip",
    )


def _points(
    entries: Sequence[Entry],
    rate: str,
    distortion: str,
    name: str,
    colour: str | None,
    best: Sequence[Entry],
) -> Scatter:
    """Without a `colour`, those on the front are told by theirs."""
    on_front = {entry.key for entry in best}
    colours = [colour or (ACCENT if entry.key in on_front else REST) for entry in entries]
    return Scatter(
        x=[entry.row.metrics[rate] for entry in entries],
        y=[entry.row.metrics[distortion] for entry in entries],
        mode="markers",
        name=plain(name),
        marker={
            "size": [13 if entry.key in on_front else 9 for entry in entries],
            "color": colours,
            "symbol": [STATES.get(entry.state, "circle-open") for entry in entries],
        },
        text=[_hover(entry, rate, distortion) for entry in entries],
        customdata=[entry.key for entry in entries],
        hoverinfo="text",
    )


def _hover(entry: Entry, rate: str, distortion: str) -> str:
    figures = ", ".join(
        f"{short(it)} {written(entry.row.metrics[it])}" for it in (distortion, rate)
    )
    return plain(f"{entry.label} ({entry.state}): {figures}")


def _nothing() -> str:
    return render("note.html", text="No trial has a validation with bits per pixel yet.")
