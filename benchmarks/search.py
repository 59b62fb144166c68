"""Searches on synthetic VQ-GAN learning curves: steps until a sweep has found nearly the best there is.

Nothing is trained. `searching/curves.py` makes the worlds; workers are simulated. A sweep is there when its pick,
the finished trial with the best last validation, has closed 0.95 of the gap between the median random trial and
the world's optimum, both without noise. Counted are the steps of all workers; a run that is not there when the
budget is spent counts as the budget. Where that makes a median the budget, a ratio of medians is only a bound (`at
most`, `at least`), or no figure at all.

`stock`: Ray Tune's OptunaSearch and ASHAScheduler as they come; `median`, `hyperband`, `halving`: Optuna's TPE and
pruners; `random`: no search, no stopping. Controls: worlds without a discriminator, where nothing drops, of which
`flat-noise` has four times the noise; there ours should be no better than stock.

Reported seeds are 0 to 99. Whoever tunes ours uses seeds from 1000 on (`--first-seed 1000`); `--set` is for that.
"""

import argparse
import json
import os
import statistics
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml
from searching.curves import KINDS, STEPS
from searching.roster import NAMES, OURS, STOCK, Played, Table, games

BUDGETS = {8: 100, 64: 200}
"""Workers -> whole trainings that a sweep may cost."""
PACKAGES = ("ray", "optuna", "numpy")


class Summary(NamedTuple):
    """Of one method's games at a table."""

    median: float
    """Steps to the target."""
    p90: float
    reached: float
    """Share of the games."""
    regret: float
    """Share of the gap that the last pick leaves, at the 90th percentile."""
    trials: float
    seconds: float
    """Of thinking, per game."""

    @property
    def is_censored(self) -> bool:
        """Whether the median is the budget, because fewer than half of the games came to the target."""
        return self.reached <= 0.5


class Bar(NamedTuple):
    """A figure that must not be higher than asked."""

    name: str
    value: float | None
    """None: nothing is known of it."""
    at_most: float
    known: Literal["exactly", "at most", "at least"] = "exactly"
    """What the value says of the figure."""
    note: str = ""

    @property
    def figure(self) -> str:
        if self.value is None:
            return "not measurable"
        return f"{'' if self.known == 'exactly' else self.known + ' '}{self.value:.3g}"

    @property
    def verdict(self) -> Literal["holds", "MISSED", "open"]:
        if self.value is None:
            return "open"
        if self.value <= self.at_most:
            return "open" if self.known == "at least" else "holds"
        return "open" if self.known == "at most" else "MISSED"


def summary(of: Sequence[Played], budget: int) -> Summary:
    steps = [budget if game.outcome.to_target is None else game.outcome.to_target for game in of]
    regrets = [game.outcome.regret for game in of]
    return Summary(
        median=statistics.median(steps),
        p90=float(np.percentile(steps, 90)),
        reached=statistics.mean(game.outcome.to_target is not None for game in of),
        regret=float(np.percentile(regrets, 90)),
        trials=statistics.mean(game.outcome.trials for game in of),
        seconds=statistics.mean(game.seconds for game in of),
    )


def summaries(of: Iterable[Played], budget: int) -> dict[str, Summary]:
    by_method: dict[str, list[Played]] = {}
    for game in of:
        by_method.setdefault(game.method, []).append(game)
    return {name: summary(played, budget) for name, played in by_method.items()}


def bars(table: Table, of: dict[str, Summary]) -> list[Bar]:
    """What must hold of ours beside stock."""
    if not {OURS, STOCK} <= of.keys():
        return []
    ours, stock, where = of[OURS], of[STOCK], f"{table.kind}, {table.workers} workers"
    bound = 0.6 if KINDS[table.kind].has_gan else 1.05
    return [
        steps_bar(f"{where}: ours / stock, steps at the median", ours, stock, bound),
        Bar(f"{where}: ours / stock, regret at 90%", ours.regret / stock.regret, 1),
    ]


def steps_bar(name: str, ours: Summary, stock: Summary, at_most: float) -> Bar:
    """A median that is the budget says only that half of the games would have cost more."""
    note = f"reached the target: {ours.reached:.0%}, stock {stock.reached:.0%}"
    if ours.is_censored and stock.is_censored:
        return Bar(name, None, at_most, note=note)
    known: Literal["exactly", "at most", "at least"] = "exactly"
    if stock.is_censored:
        known = "at most"
    elif ours.is_censored:
        known = "at least"
    return Bar(name, ours.median / stock.median, at_most, known, note)


def ratio(one: Summary, stock: Summary) -> str:
    """Of steps at the median, as a cell of the table."""
    return steps_bar("", one, stock, 0).figure.replace("not measurable", "-")


def row(name: str, *cells: str) -> None:
    print(f"{name:<52}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


def show(table: Table, of: dict[str, Summary], seeds: int) -> None:
    name = f"{table.kind}, {table.workers} workers, {seeds} seeds, at most {table.budget:,} steps"
    row(name, "median", "90%", "/ stock", "reached", "regret 90%", "/ stock", "trials", "seconds")
    stock = of.get(STOCK)
    for method, one in of.items():
        row(
            f"  {method}",
            f"{one.median:,.0f}",
            f"{one.p90:,.0f}",
            "" if stock is None else ratio(one, stock),
            f"{one.reached:.0%}",
            f"{one.regret:.3f}",
            "" if stock is None else f"{one.regret / stock.regret:.2f}",
            f"{one.trials:.0f}",
            f"{one.seconds:.1f}",
        )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", nargs="?", type=Path, help="file to write every game to")
    parser.add_argument("--quick", action="store_true", help="a trial run: two seeds, 8 workers")
    parser.add_argument("--seeds", type=int, help="how many; 100, quick 2")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--workers", type=int, nargs="+", choices=BUDGETS)
    parser.add_argument("--worlds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--methods", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--budget", type=int, help="whole trainings, in place of the usual")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings",
                        help="a setting of ours, such as scheduler.min_peers=5")  # fmt: skip
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def asked_settings(pairs: list[str]) -> dict[str, Any]:
    split = (pair.partition("=") for pair in pairs)
    return {path: yaml.safe_load(value) for path, _, value in split}


class Report:
    """Tables as they come, and at the end what must hold."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments, self.bars, self.games = arguments, list[Bar](), list[dict[str, Any]]()
        self.settings = asked_settings(arguments.settings)

    def measure(self, table: Table, seeds: range, pool: Executor) -> None:
        at_a_seed = partial(games, table, self.arguments.methods, self.settings)
        played = [game for each in pool.map(at_a_seed, seeds) for game in each]
        of = summaries(played, table.budget)
        show(table, of, len(seeds))
        self.bars += bars(table, of)
        self.games += [{"table": table._asdict(), **flat(game)} for game in played]

    def write(self, path: Path) -> None:
        figures = {
            "versions": {name: version(name) for name in PACKAGES},
            "settings": self.settings,
            "bars": [{**bar._asdict(), "verdict": bar.verdict} for bar in self.bars],
            "games": self.games,
        }
        path.write_text(json.dumps(figures, indent=2))


def tables(arguments: argparse.Namespace) -> list[Table]:
    everywhere = arguments.workers or ([8] if arguments.quick else list(BUDGETS))
    return [
        Table(kind, workers, STEPS * (arguments.budget or BUDGETS[workers]))
        for kind in arguments.worlds
        for workers in everywhere
    ]


def main() -> None:
    arguments = parsed()
    count, first = arguments.seeds or (2 if arguments.quick else 100), arguments.first_seed
    report = Report(arguments)
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        for table in tables(arguments):
            report.measure(table, range(first, first + count), pool)
    print_bars(report.bars)
    if arguments.json:
        report.write(arguments.json)


def flat(game: Played) -> dict[str, Any]:
    return {**game._asdict(), "outcome": game.outcome._asdict()}


def print_bars(of: list[Bar]) -> None:
    row("what must hold", "figure", "asked")
    for bar in of:
        print(
            f"  {bar.name:<60}{bar.figure:>16}{f'<= {bar.at_most:g}':>9}{bar.verdict:>8}  {bar.note}"
        )


if __name__ == "__main__":
    main()
