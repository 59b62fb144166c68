"""Where an experiment stands: its trials, best first."""

import json
from collections import Counter
from collections.abc import Mapping

from rich.table import Table

from raysweep.commands.console import console, say
from raysweep.commands.standing import Standing, standing
from raysweep.experiment.events import has_writer
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import FROM_SPACE
from raysweep.experiment.requests import count
from raysweep.experiment.results import Row
from raysweep.search.objective import Objective
from raysweep.tracking.swanlab import URL_FILE

COLUMNS = {
    "val/psnr": "psnr",
    "val/ssim": "ssim",
    "val/lpips": "lpips",
    "val/lpips_random": "lpips (random)",
    "val/code_usage": "usage",
    "val/bits_per_pixel": "bits/px",
}
"""Metrics shown, and their headings."""


def status(experiment: Experiment) -> None:
    now = standing(experiment)
    console.print(_table(now.leaderboard, experiment.folder.name, now.objective))
    for trial in now.trials:
        address = experiment.trial(trial) / URL_FILE
        if address.exists():
            say(f"{trial} in SwanLab: {address.read_text()}")
    if experiment.validation_file.exists():
        baseline = json.loads(experiment.validation_file.read_text()).get("mean_colour_psnr")
        if baseline is not None:
            say(f"baseline, each frame's mean colour: {baseline:.2f} dB PSNR")
    _say_progress(now)


def is_over(now: Standing) -> bool:
    """Whether a driver would have nothing to do, since the budget of the search is spent."""
    states = {record.state for record in now.trials.values()}
    has_trials = bool(states & {"proposed", "promoted", "running", "paused"})
    is_spent = now.sweep.space is not None and now.budget.over is not None
    return is_spent and not has_trials and not count(now.experiment.requests)


def _say_progress(now: Standing) -> None:
    """What is spent and left, who runs, and why the search is over where it is."""
    at_work, over = has_writer(now.experiment.events), now.budget.over
    if now.sweep.space is not None and now.budget.limits:
        say(f"spent: {', '.join(map(str, now.budget.limits))}")
    if states := _counted(now, at_work):
        saved = f"; stopping early saved {now.budget.saved_steps:,} steps"
        say(states + (saved if now.budget.saved_steps else ""))
    if waiting := count(now.experiment.requests):
        who = "the driver" if at_work else f"`raysweep resume {now.experiment.folder}`"
        say(f"requests that wait for {who}: {waiting}")
    if now.sweep.space is not None and over is not None:
        what = "the search is over" if is_over(now) else "nothing more is proposed"
        more = "--trials N" if over.setting == "trials" else f"--set budget.{over.setting}=..."
        say(f"{what}: {over}; to go on: `raysweep resume {now.experiment.folder} {more}`")


def _counted(now: Standing, at_work: bool) -> str:
    """`2 running, 1 paused, 5 stopped`."""
    words = {"running": "running" if at_work else "interrupted"}
    states = Counter(words.get(record.state, record.state) for record in now.trials.values())
    return ", ".join(f"{number} {state}" for state, number in states.items())


def _table(rows: list[Row], name: str, goal: Objective) -> Table:
    columns = [column for column in COLUMNS if any(column in row.metrics for row in rows)]
    table = Table(title=f"{name}: by {_told(goal)}", title_justify="left")
    named = any(row.origin != FROM_SPACE for row in rows)
    for heading in (
        "trial",
        *["from"] * named,
        "state",
        "steps",
        *(COLUMNS[column] for column in columns),
    ):
        table.add_column(heading, no_wrap=True)
    table.add_column("settings", overflow="fold")
    for row in rows:
        figures = [f"{row.metrics[c]:.3f}" if c in row.metrics else "" for c in columns]
        who = [row.trial, *[row.origin] * named, row.state, str(row.steps)]
        table.add_row(*who, *figures, short_settings(row.settings))
    return table


def _told(objective: Objective) -> str:
    ways = {"max": "higher is better", "min": "lower is better"}
    return " and ".join(f"{goal.metric}, {ways[goal.direction]}" for goal in objective.goals)


def short_settings(settings: Mapping[str, object]) -> str:
    """`disc_start=0.3 quantizer.kind=fsq`: last names, a kind's with whose it is, and three digits."""
    return " ".join(f"{_name(path)}={_short(value)}" for path, value in settings.items())


def _name(path: str) -> str:
    *whose, last = path.split(".")
    return ".".join([*whose[-1:], last]) if last == "kind" else last


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
