"""Exporting a trial from the command line."""

from pathlib import Path

from raysweep.commands.console import say
from raysweep.commands.standing import standing
from raysweep.experiment.layout import Experiment
from raysweep.export import export, export_for


def export_trial(experiment: Experiment, trial: str, out: Path | None) -> Path:
    """`trial` is an id or `best`; writes to `out`, by default `best` beside the trials."""
    now = standing(experiment)
    trial = now.trial(trial).trial
    folder = export(experiment, trial, now.objective.metric, out or experiment.folder / "best")
    say(f"exported trial {trial} to {folder}; open it with raysweep.load({str(folder)!r})")
    return folder


def export_trial_for(form: str, experiment: Experiment, trial: str, out: Path | None) -> Path:
    """As one file for public code (a name of FORMATS), by default `best.ckpt` beside the trials."""
    now = standing(experiment)
    trial = now.trial(trial).trial
    file = out or experiment.folder / "best.ckpt"
    complete = export_for(form, experiment, trial, now.objective.metric, file)
    say(f"exported trial {trial} to {file}, with{'' if complete else 'out'} its discriminator")
    return file
