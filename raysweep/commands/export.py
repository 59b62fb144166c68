"""Exporting a trial from the command line."""

from pathlib import Path

from raysweep.assemble import objective
from raysweep.commands.console import say
from raysweep.commands.sweep import read_sweep
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from raysweep.experiment.results import best, leaderboard
from raysweep.export import export


def export_trial(experiment: Experiment, trial: str, out: Path | None) -> Path:
    """`trial` is an id or `best`; writes to `out`, by default `best` beside the trials."""
    sweep = read_sweep(experiment)
    goal = objective(sweep.objective, sweep.run().loss)
    if trial == "best":
        trial = best(leaderboard(replay(read(experiment.events)).values(), goal)).trial
    folder = export(experiment, trial, goal.metric, out or experiment.folder / "best")
    say(f"exported trial {trial} to {folder}; open it with raysweep.load({str(folder)!r})")
    return folder
