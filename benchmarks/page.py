"""How long the comparison page takes, from an experiment's files to all its charts painted in a browser, and its size.

200 made-up trials of 100 validations (`paging/made_up.py`), of which the 12 best are shown by 8 stills and 2 clips of
128 px each, drawn before (`paging/pictured.py`), and the same page without pictures. Beside it, in the same browser, plotly's own `to_html` of
the same learning curves alone, a trace a trial, and Optuna's figures of the same study (history, intermediate values,
parallel coordinates, importances). Medians of several times, taken in turns; imports are not counted, and are told.
Control: a sweep of a single trial, where the page has all else to draw that plotly's one curve has not: it should be
slower than that.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import optuna
from paging import peers
from paging.made_up import make
from paging.pictured import picture
from paging.watching import Watch, watching

from raysweep.commands.compare import Wanted, write
from raysweep.commands.pictures import Asked
from raysweep.commands.standing import standing
from raysweep.experiment.layout import Experiment

PACKAGES = ("plotly", "optuna", "selenium")
PICTURED, OURS, CURVES, FIGURES = (
    "with 12 trials' pictures",
    "raysweep compare",
    "plotly, curves alone",
    "optuna.visualization",
)
SHOWN = 12
"""Trials, by pictures."""
MOST_SECONDS, MOST_MEGABYTES = 3.0, 25.0


class Way(NamedTuple):
    name: str
    make: Callable[[Experiment, Path], None]
    """Writes a page of an experiment."""
    charts: int
    """That it has."""


class Cost(NamedTuple):
    make: float
    """Seconds, from the experiment's files to the page's."""
    draw: float
    """Seconds, until all of its charts are painted."""
    megabytes: float

    @property
    def seconds(self) -> float:
        return self.make + self.draw


def ours(experiment: Experiment, page: Path) -> None:
    write([str(experiment.folder)], Wanted(html=str(page)), Asked(top=0))


def pictured(experiment: Experiment, page: Path) -> None:
    write([str(experiment.folder)], Wanted(html=str(page)), Asked(top=SHOWN))


WAYS = [
    Way(PICTURED, pictured, 5),
    Way(OURS, ours, 5),
    Way(CURVES, peers.curves, 1),
    Way(FIGURES, peers.figures, 4),
]
CONTROL = [Way(OURS, ours, 3), Way(CURVES, peers.curves, 1)]
"""A single trial has no parallel coordinates and no importance."""


def measure(ways: list[Way], experiment: Experiment, times: int, watch: Watch) -> dict[str, Cost]:
    costs: dict[str, list[Cost]] = {way.name: [] for way in ways}
    page = experiment.folder / "page.html"
    for _ in range(times + 1):  # the first warms up
        for way in ways:
            start = time.perf_counter()
            way.make(experiment, page)
            made = time.perf_counter() - start
            painted = watch.seconds(page, way.charts)
            costs[way.name].append(Cost(made, painted, page.stat().st_size / 1e6))
    return {name: _median(each[1:]) for name, each in costs.items()}


def _median(costs: list[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def table(title: str, costs: dict[str, Cost]) -> None:
    row(title, "s to make", "s to draw", "s in all", "MB", "ours / it")
    for name, cost in costs.items():
        ratio = costs[OURS].seconds / cost.seconds
        figures = (cost.make, cost.draw, cost.seconds, cost.megabytes, ratio)
        row(f"  {name}", *(f"{figure:.2f}" for figure in figures))


def row(name: str, *cells: str) -> None:
    print(f"{name:<36}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


def verdict(cost: Cost) -> None:
    for figure, most, unit in (
        (cost.seconds, MOST_SECONDS, "s"),
        (cost.megabytes, MOST_MEGABYTES, "MB"),
    ):
        print(f"  {figure:.2f} {unit} of {most:g}: {'holds' if figure <= most else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", nargs="?", type=Path, help="file to write the figures to")
    parser.add_argument("--quick", action="store_true", help="a trial run of few trials")
    arguments = parser.parse_args()
    trials, validations, times = (20, 10, 1) if arguments.quick else (200, 100, 5)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, watching() as watch:
        big = make(Path(folder) / "big", trials, validations)
        picture(big, [row.trial for row in standing(big).leaderboard[:SHOWN]])
        costs = measure(WAYS, big, times, watch)
        single = make(Path(folder) / "single", 1, validations)
        control = measure(CONTROL, single, times, watch)
    table(f"{trials} trials x {validations} validations", costs)
    table("control: one trial", control)
    verdict(costs[PICTURED])
    if arguments.json:
        figures = {
            "versions": {name: version(name) for name in PACKAGES},
            "costs": {name: cost._asdict() for name, cost in costs.items()},
            "control": {name: cost._asdict() for name, cost in control.items()},
        }
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
