"""Where an experiment stands: its trials, best first."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product

from rich.table import Table

from raysweep.commands.confirmation import print_confirmed
from raysweep.commands.console import console, say
from raysweep.commands.standing import Standing, standing
from raysweep.experiment.confirmation import left_to_confirm
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import is_driven
from raysweep.experiment.outlook import seconds_left, speed
from raysweep.experiment.records import FROM_SPACE, counted
from raysweep.experiment.requests import count
from raysweep.experiment.results import Row
from raysweep.search.objective import Objective
from raysweep.spelling import in_time
from raysweep.tracking import ADDRESSES
from raysweep.training.loop import LATEST

COLUMNS = {
    "val/psnr": "psnr",
    "val/ssim": "ssim",
    "val/lpips": "lpips",
    "val/lpips_random": "lpips (random)",
    "val/code_usage": "usage",
    "val/bits_per_pixel": "bits/px",
}
"""Metrics shown besides those that rank, and their headings."""
WRAPPED = ("breaks", "settings")
"""Headings of columns that may take several lines."""

Cell = Callable[[Row], str]
"""A trial -> what stands in a column; empty: nothing."""


def status(experiment: Experiment) -> None:
    now = standing(experiment)
    console.print(table(now, now.leaderboard))
    print_confirmed(now.confirmed, now.objective)
    for line in (*_addresses(now), *_baseline(experiment), *progress(now)):
        say(line)


def _addresses(now: Standing) -> Iterator[str]:
    for trial, (where, file) in product(now.trials, ADDRESSES.items()):
        address = now.experiment.trial(trial) / file
        if address.exists():
            yield f"{trial} in {where}: {address.read_text()}"


def _baseline(experiment: Experiment) -> Iterator[str]:
    if experiment.validation_file.exists():
        baseline = json.loads(experiment.validation_file.read_text()).get("mean_colour_psnr")
        if baseline is not None:
            yield f"baseline, each frame's mean colour: {baseline:.2f} dB PSNR"


def is_over(now: Standing) -> bool:
    """Whether a driver would have nothing to do, since the budget of the search is spent."""
    is_spent = now.sweep.space is not None and now.budget.over is not None
    are_over = all(record.is_over for record in now.trials.values())
    if not (is_spent and are_over) or count(now.experiment.requests):
        return False
    return not left_to_confirm(now.sweep, now.trials, now.objective)


def progress(now: Standing) -> Iterator[str]:
    """What is spent and left, who runs, and why the search is over where it is; a line each."""
    at_work, over = is_driven(now.experiment), now.budget.over
    if now.sweep.space is not None and now.budget.limits:
        yield f"spent: {', '.join(map(str, now.budget.limits))}"
    if states := counted(now.trials.values(), at_work):
        saved = f"; stopping early saved {now.budget.saved_steps:,} steps"
        yield states + (saved if now.budget.saved_steps else "")
    if now.is_suspended:
        yield f"paused by hand; to go on: `raysweep unpause {now.experiment.as_word}`"
    if at_work:
        yield from _outlook(now)
    if waiting := count(now.experiment.requests):
        who = "the driver" if at_work else f"`raysweep resume {now.experiment.as_word}`"
        yield f"requests that wait for {who}: {waiting}"
    if now.sweep.space is not None and over is not None:
        what = "the search is over" if is_over(now) else "nothing more is proposed"
        more = f"`raysweep resume {now.experiment.as_word} {over.raised_by}`"
        yield f"{what}: {over}; to go on: {more}"
    if any(record.state == "failed" for record in now.trials.values()) and not at_work:
        yield f"failed trials go on with `raysweep resume {now.experiment.as_word} --retry-failed`"


def _outlook(now: Standing) -> Iterator[str]:
    """Nothing where it cannot be known, or was wrong."""
    so_far = speed(read(now.experiment.events))
    left = seconds_left(now.sweep, now.trials, now.budget, so_far)
    if left is not None and (rest := left - (time.time() - so_far.until)) > 0:
        together = "of all trials together"
        yield f"about {in_time(rest)} left, at {so_far.steps_per_second:.3g} steps/s {together}"


def table(now: Standing, rows: list[Row], more: Mapping[str, Cell] | None = None) -> Table:
    """`rows` of the leaderboard; `more`: columns beside the usual ones, or in their place, by heading."""
    title = f"{now.experiment.folder.name}: by {told(now.objective)}"
    made = Table(title=title, title_justify="left")
    columns = _columns(rows, now.objective, more or {})
    for heading in columns:
        wraps = heading in WRAPPED
        made.add_column(heading, no_wrap=not wraps, overflow="fold" if wraps else "ellipsis")
    for row in rows:
        made.add_row(*(cell(row) for cell in columns.values()))
    return made


def _columns(rows: list[Row], objective: Objective, more: Mapping[str, Cell]) -> dict[str, Cell]:
    """By heading."""
    named = any(row.origin != FROM_SPACE for row in rows)
    origin: dict[str, Cell] = {"from": lambda row: row.origin} if named else {}
    apply = {heading: cell for heading, cell in _figures(objective) if any(map(cell, rows))}
    return {
        "trial": lambda row: row.trial,
        **origin,
        "state": lambda row: row.state,
        "steps": lambda row: str(row.steps),
        **more,
        **apply,
        "settings": lambda row: short_settings(row.settings),
    }


def _figures(objective: Objective) -> Iterator[tuple[str, Cell]]:
    """Columns that may be empty, with their headings."""
    yield "score", lambda row: f"{row.judged['score']:.3f}" if "score" in row.judged else ""
    yield "front", lambda row: "*" if row.judged.get("front") else ""
    ranking = {name: name.removeprefix("val/") for name in objective.metrics if name != LATEST}
    for metric, heading in {**ranking, **COLUMNS}.items():
        yield heading, partial(_figure, metric)
    yield "breaks", lambda row: ", ".join(row.broken)


def _figure(metric: str, row: Row) -> str:
    return f"{row.metrics[metric]:.3f}" if metric in row.metrics else ""


def told(objective: Objective) -> str:
    """`val/psnr, higher is better`; `val/psnr - 20 val/lpips, higher is better; with val/code_usage >= 0.5`."""
    ways = {"max": "higher is better", "min": "lower is better"}
    goals = [f"{goal.metric}, {ways[goal.direction]}" for goal in objective.goals]
    front = "; * is on the Pareto front" if objective.is_pareto else ""
    bounds = " and ".join(map(str, objective.constraints))
    ranking = _weighted(objective) if objective.weights else ", and ".join(goals) + front
    return ranking + (f"; with {bounds}" if bounds else "")


def _weighted(objective: Objective) -> str:
    """As a sum: `val/psnr - 20 val/lpips`."""
    text = ""
    for goal, weight in zip(objective.goals, objective.weights, strict=True):
        sign = "+" if goal.direction == "max" else "-"
        text += f" {sign} {'' if weight == 1 else f'{weight:g} '}{goal.metric}"
    return f"{text.removeprefix(' + ').strip()}, higher is better"


def short_settings(settings: Mapping[str, object]) -> str:
    """`disc_start=0.3 quantizer.kind=fsq`: last names, a kind's with whose it is, and three digits."""
    return " ".join(f"{_name(path)}={_short(value)}" for path, value in settings.items())


def _name(path: str) -> str:
    *whose, last = path.split(".")
    return ".".join([*whose[-1:], last]) if last == "kind" else last


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
