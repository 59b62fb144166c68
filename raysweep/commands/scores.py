"""Scores as people and programs read them."""

import csv
import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from rich.table import Table

from raysweep.commands.console import console, say
from raysweep.data.storing.shards import whole_file
from raysweep.evaluation.scores import Row, Scores
from raysweep.evaluation.versus import Versus, versus

HEADINGS = {
    "psnr": "psnr (dB)",
    "ssim": "ssim",
    "lpips": "lpips",
    "lpips_random": "lpips (random)",
    "rfid": "rfid",
    "flicker": "flicker",
    "code_usage": "usage",
    "perplexity": "perplexity",
    "bits_per_pixel": "bits/px",
    "entropy_bits_per_pixel": "entropy bits/px",
}
"""Figures shown, and what stands above them; files hold all."""
JUDGED = ("psnr", "ssim", "lpips", "lpips_random", "flicker")
"""Figures of single frames, in which one model can lead another on a source."""
ROWS = 20
"""Shown at most."""


def print_scores(footage: str, names: Sequence[str], scores: Sequence[Scores]) -> None:
    """`names`: of the models, one or two, as `scores`."""
    console.print(_by_source(f"{names[0]} on {footage}", scores[0]))
    hidden = len(scores[0].rows) - ROWS
    if hidden > 0:
        say(f"the {ROWS} worst by PSNR of {len(scores[0].rows):,}; --csv FILE has all")
    if len(scores) > 1:
        compared = versus(*scores)
        console.print(_side_by_side(names, compared))
        say(_verdict(names, compared))


def write_csv(file: Path, scores: Sequence[Scores]) -> None:
    """A line for each source, and one for all; of two models also the second's figures and what it has more."""
    lines = [_line(rows) for rows in zip(*(one.rows for one in scores), strict=True)]
    whole = [Row("all", _frames(one.rows), "", one.figures) for one in scores]
    lines.append(_line(whole))
    columns = list(dict.fromkeys(name for line in lines for name in line))
    with whole_file(file) as part, part.open("w", newline="", encoding="utf-8") as opened:
        table = csv.DictWriter(opened, columns)
        table.writeheader()
        table.writerows(lines)
    say(f"a line for each: {file}")


def write_json(
    file: Path, title: str, names: Sequence[str], scores: Sequence[Scores], told: Sequence[str]
) -> None:
    models = [
        {"model": name, "figures": one.figures, "rows": [row._asdict() for row in one.rows]}
        for name, one in zip(names, scores, strict=True)
    ]
    found: dict[str, Any] = {"title": title, "models": models, "told": list(told)}
    if len(scores) > 1:
        found["difference"] = {one.name: _as_tree(one) for one in versus(*scores)}
    with whole_file(file) as part:
        part.write_text(json.dumps(found, indent=2), encoding="utf-8")
    say(f"all figures: {file}")


def _by_source(title: str, scores: Scores) -> Table:
    figures = scores.figures
    shown = [name for name in HEADINGS if name in figures]
    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("source", "all", no_wrap=True, overflow="ellipsis")
    table.add_column("frames", f"{_frames(scores.rows):,}", justify="right")
    table.add_column("size")
    for name in shown:
        table.add_column(HEADINGS[name], _told(figures, name), justify="right", no_wrap=True)
    worst_first = sorted(scores.rows, key=lambda row: row.figures["psnr"])
    for row in worst_first[:ROWS]:
        cells = [_told(row.figures, name) for name in shown]
        table.add_row(row.source, f"{row.frames:,}", row.size, *cells)
    return table


def _side_by_side(names: Sequence[str], compared: Sequence[Versus]) -> Table:
    table = Table(title=f"{names[1]} against {names[0]}", title_justify="left")
    for heading in ("figure", *names, "difference", "per source", "p"):
        table.add_column(heading, no_wrap=True)
    by_name = {one.name: one for one in compared}
    for name, heading in HEADINGS.items():
        if (one := by_name.get(name)) is not None:
            table.add_row(
                heading,
                f"{one.first:.4f}",
                f"{one.second:.4f}",
                f"{one.difference:+.4f}",
                *(_paired(one) if one.name in JUDGED else ("", "")),
            )
    return table


def _paired(one: Versus) -> tuple[str, str]:
    if isnan(one.p):
        return "", ""
    return f"{one.paired.mean:+.4f} ± {one.paired.deviation:.4f}", f"{one.p:.3f}"


def _verdict(names: Sequence[str], compared: Sequence[Versus]) -> str:
    """By PSNR, which every frame has."""
    (psnr,) = (one for one in compared if one.name == "psnr")
    leader, other = names[psnr.leads], names[1 - psnr.leads]
    lead = f"{leader} leads {other} by {abs(psnr.difference):.4f} dB PSNR"
    if psnr.sources < 2:
        return f"{lead}; on one source, nobody can say whether by more than noise"
    few = f"; on so few sources, p is never below {psnr.least_p:.3f}" if psnr.is_never else ""
    verdict = "within noise" if psnr.is_noise else "more than noise"
    return f"{lead}: {verdict}, p = {psnr.p:.3f} (two-sided permutation test over {psnr.sources} sources{few})"


def _line(rows: Sequence[Row]) -> dict[str, object]:
    first = rows[0]
    line: dict[str, object] = {"source": first.source, "frames": first.frames, "size": first.size}
    line |= first.figures
    for other in rows[1:]:
        line |= {f"against/{name}": value for name, value in other.figures.items()}
        both = [name for name in first.figures if name in other.figures]
        line |= {f"difference/{n}": other.figures[n] - first.figures[n] for n in both}
    return line


def _as_tree(one: Versus) -> dict[str, object]:
    """JSON has no NaN."""
    known = {
        "difference": one.difference,
        "per_source_mean": one.paired.mean,
        "per_source_deviation": one.paired.deviation,
        "sources": one.sources,
        "p": one.p,
    }
    return {name: None if isnan(value) else value for name, value in known.items()}


def _told(figures: Mapping[str, float], name: str) -> str:
    return f"{figures[name]:.4f}" if name in figures else ""


def _frames(rows: Sequence[Row]) -> int:
    return sum(row.frames for row in rows)
