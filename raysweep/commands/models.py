"""A model that a person names: an exported folder, or a trial of an experiment."""

from pathlib import Path
from typing import NamedTuple

import torch

from raysweep.commands.standing import standing
from raysweep.data.sources.places import is_uri
from raysweep.errors import ExperimentError, StorageError
from raysweep.experiment.carrier import fetch_kept
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import opened
from raysweep.export.kept import read_kept
from raysweep.pretrained import Pretrained, load


class Named(NamedTuple):
    name: str
    """For people."""
    model: Pretrained
    experiment: Experiment | None
    """None: it was exported."""


def open_model(where: str, trial: str | None, device: torch.device) -> Named:
    """`where`: an exported folder, or an experiment's folder or address; of that the trial, None: the best.

    ExperimentError where there is no such model.
    """
    folder = Path(where)
    if not is_uri(where) and not (folder / "sweep.yaml").exists():
        if trial is not None:
            raise ExperimentError(
                f"a trial is of an experiment, and {where} has no sweep.yaml. Leave --trial out, or name an experiment."
            )
        return Named(folder.resolve().name, load(folder, device), None)
    experiment = opened(where)
    now = standing(experiment)
    chosen = now.trial(trial or "best").trial
    fetch(experiment, chosen)
    kept = read_kept(experiment, chosen, now.objective.kept_as)
    return Named(f"{experiment.folder.name}/{chosen}", kept.model(device), experiment)


def fetch(experiment: Experiment, trial: str) -> None:
    """What the trial keeps as best; twice where need be: what was listed may make room for a better one meanwhile."""
    try:
        fetch_kept(experiment, trial)
    except StorageError:
        fetch_kept(experiment, trial)
