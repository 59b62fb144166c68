"""Exporting a trial, or the trials of the Pareto front, from the command line."""

from pathlib import Path

from raysweep.commands.console import say
from raysweep.commands.standing import Standing, standing
from raysweep.errors import ExperimentError
from raysweep.experiment.carrier import fetch_kept
from raysweep.experiment.layout import Experiment
from raysweep.experiment.results import on_front, write_csv
from raysweep.export import export, export_for

FOLDER = "folder"
"""The form of an export for raysweep.load; others are names of FORMATS, one file for public code."""


def export_trial(experiment: Experiment, trial: str, out: Path | None, form: str = FOLDER) -> Path:
    """`trial` is an id or `best`; writes to `out`, by default `best` (or `best.ckpt`) beside the trials."""
    now = standing(experiment)
    trial = now.trial(trial).trial
    out = _export(now, trial, out or _beside(experiment, _name("best", form)), form)
    (row,) = (row for row in now.leaderboard if row.trial == trial)
    if row.broken:
        say(f"trial {trial} breaks {' and '.join(row.broken)}")
    return out


def export_front(experiment: Experiment, out: Path | None, form: str = FOLDER) -> Path:
    """Each trial of the Pareto front, under its id in the folder `out`, by default `pareto` beside the trials;
    `front.csv` there lists them."""
    now = standing(experiment)
    rows, folder = on_front(now.leaderboard), out or _beside(experiment, "pareto")
    for row in rows:
        _export(now, row.trial, folder / _name(row.trial, form), form)
    write_csv(rows, folder / "front.csv")
    return folder


def _export(now: Standing, trial: str, out: Path, form: str) -> Path:
    kept = now.objective.kept_as
    fetch_kept(now.experiment, trial)
    if form == FOLDER:
        export(now.experiment, trial, kept, out)
        say(f"exported trial {trial} to {out}; open it with raysweep.load({str(out)!r})")
    else:
        complete = export_for(form, now.experiment, trial, kept, out)
        say(f"exported trial {trial} to {out}, with{'' if complete else 'out'} its discriminator")
    return out


def _beside(experiment: Experiment, name: str) -> Path:
    """Where an export goes by itself."""
    if experiment.remote is not None:
        raise ExperimentError(
            f"an export lies on this machine, and {experiment.where} does not. Say where with --out FOLDER."
        )
    return experiment.folder / name


def _name(of: str, form: str) -> str:
    return of if form == FOLDER else f"{of}.ckpt"
