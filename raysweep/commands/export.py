"""Exporting a trial, or the trials of the Pareto front, from the command line."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from raysweep.commands.advance import Advance, advancing
from raysweep.commands.console import say
from raysweep.commands.models import fetch
from raysweep.commands.standing import Standing, standing
from raysweep.commands.validation import validation_batches
from raysweep.errors import DataError, ExperimentError
from raysweep.experiment.layout import Experiment
from raysweep.experiment.results import on_front, write_csv
from raysweep.export import export, export_for
from raysweep.export.again import Again, measure_again
from raysweep.export.folder import not_again
from raysweep.export.forms import FOLDERS
from raysweep.models.published.formats import FORMATS
from raysweep.pretrained import Pretrained


class Manner(NamedTuple):
    """How to export."""

    form: str = "safetensors"
    """A name of FOLDERS: a folder for raysweep.load; or one of FORMATS: a file for public code."""
    device: torch.device = torch.device("cpu")
    evaluates: bool = True
    """Whether a folder is measured again, on the device."""

    @property
    def suffix(self) -> str:
        return ".ckpt" if self.form in FORMATS else ""


USUAL = Manner()


def export_trial(
    experiment: Experiment, trial: str, out: Path | None, manner: Manner = USUAL
) -> Path:
    """`trial` is an id or `best`; writes to `out`, by default `best` (or `best.ckpt`) beside the trials."""
    now = standing(experiment)
    trial = now.trial(trial).trial
    out = _export(now, trial, out or _beside(experiment, f"best{manner.suffix}"), manner)
    (row,) = (row for row in now.leaderboard if row.trial == trial)
    if row.broken:
        say(f"trial {trial} breaks {' and '.join(row.broken)}")
    return out


def export_front(experiment: Experiment, out: Path | None, manner: Manner = USUAL) -> Path:
    """Each trial of the Pareto front, under its id in the folder `out`, by default `pareto` beside the trials;
    `front.csv` there lists them."""
    now = standing(experiment)
    rows, folder = on_front(now.leaderboard), out or _beside(experiment, "pareto")
    for row in rows:
        _export(now, row.trial, folder / f"{row.trial}{manner.suffix}", manner)
    write_csv(rows, folder / "front.csv")
    return folder


def _export(now: Standing, trial: str, out: Path, manner: Manner) -> Path:
    kept = now.objective.kept_as
    if manner.form in FORMATS:
        fetch(now.experiment, trial)
        complete = export_for(manner.form, now.experiment, trial, kept, out)
        say(f"exported trial {trial} to {out}, with{'' if complete else 'out'} its discriminator")
        return out
    form = FOLDERS[manner.form]
    form.require()
    fetch(now.experiment, trial)
    export(
        now.experiment,
        trial,
        kept,
        out,
        again=partial(_again, now.experiment) if manner.evaluates else not_again,
        graphs=form.write,
        device=manner.device,
        made_with=now.sweep.made_with,
    )
    say(f"exported trial {trial} to {out}; open it with raysweep.load({str(out)!r})")
    return out


def _again(experiment: Experiment, model: Pretrained, told: Mapping[str, float]) -> Again:
    try:
        batches = validation_batches(model.config, experiment)
    except DataError as error:
        say(f"not evaluated again: {error}")
        return Again(why_not=str(error))
    frames = sum(clip.length for clip in batches.valid_clips)
    with (
        advancing("evaluating what was exported", frames) as advance,
        closing(batches.validation()) as clips,
    ):
        measured = measure_again(model, told, _counted(clips, advance))
    _say_again(measured)
    return measured


def _counted(batches: Iterable[Tensor], advance: Advance) -> Iterator[Tensor]:
    for clips_BTHWC in batches:
        yield clips_BTHWC
        advance(clips_BTHWC.shape[0] * clips_BTHWC.shape[1])


def _say_again(measured: Again) -> None:
    for metric, why in measured.left_out.items():
        say(f"evaluated again without {metric}: {why}")
    say(
        f"evaluated again on the whole validation set, on {measured.device}: it scores what the trial did, "
        f"to {measured.largest_difference:.1e} ({measured.of})"
    )


def _beside(experiment: Experiment, name: str) -> Path:
    """Where an export goes by itself."""
    if experiment.remote is not None:
        raise ExperimentError(
            f"an export lies on this machine, and {experiment.where} does not. Say where with --out FOLDER."
        )
    return experiment.folder / name
