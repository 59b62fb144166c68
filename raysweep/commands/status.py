"""Where an experiment stands: its trials, best first."""

import json

from rich.table import Table

from raysweep.assemble import objective
from raysweep.commands.console import console, say
from raysweep.config import SweepConfig, read_file
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from raysweep.experiment.results import Row, leaderboard
from raysweep.schema import parse
from raysweep.search.objective import Objective

COLUMNS = (
    "val/psnr",
    "val/ssim",
    "val/lpips",
    "val/lpips_random",
    "val/code_usage",
    "val/bits_per_pixel",
)


def status(experiment: Experiment) -> None:
    sweep = parse(SweepConfig, read_file(experiment.sweep_file))
    show_leaderboard(experiment, objective(sweep.objective, sweep.run().loss))


def show_leaderboard(experiment: Experiment, goal: Objective) -> None:
    rows = leaderboard(replay(read(experiment.events)).values(), goal)
    console.print(_table(rows, experiment.folder.name, goal))
    if experiment.validation_file.exists():
        facts = json.loads(experiment.validation_file.read_text())
        say(f"baseline, each frame's mean colour: {facts['mean_colour_psnr']:.2f} dB PSNR")


def _table(rows: list[Row], name: str, goal: Objective) -> Table:
    columns = [column for column in COLUMNS if any(column in row.metrics for row in rows)]
    arrow = "higher" if goal.direction == "max" else "lower"
    table = Table(title=f"{name}: by {goal.metric}, {arrow} is better", title_justify="left")
    for heading in (
        "trial",
        "state",
        "steps",
        *(c.removeprefix("val/") for c in columns),
        "settings",
    ):
        table.add_column(heading, overflow="fold")
    for row in rows:
        figures = [f"{row.metrics[c]:.3f}" if c in row.metrics else "" for c in columns]
        table.add_row(row.trial, row.state, str(row.steps), *figures, _settings(row))
    return table


def _settings(row: Row) -> str:
    shown = {path.split(".")[-1]: value for path, value in row.settings.items()}
    return " ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in shown.items()
    )
