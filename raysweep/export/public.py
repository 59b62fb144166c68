"""A trial's best checkpoint as one file that public code loads."""

from pathlib import Path

import torch

from raysweep.data.storing.shards import whole_file
from raysweep.experiment.layout import Experiment
from raysweep.export.kept import read_kept
from raysweep.export.target import make_folder, require_free
from raysweep.full_disk import told_when_full
from raysweep.models.published.formats import FORMATS


def export_for(form: str, experiment: Experiment, trial: str, metric: str, file: Path) -> bool:
    """Writes what `trial` keeps as best by `metric` (`val/psnr`) to `file`; `form` is a name of FORMATS.

    Returns whether the discriminator is in it. ConfigError for a model that the code has not.
    """
    require_free(file)
    kept = read_kept(experiment, trial, metric)
    tree = FORMATS[form](kept.config.model, kept.weights, kept.discriminator)
    make_folder(file.parent)
    with told_when_full(file), whole_file(file) as part, part.open("wb") as opened:
        torch.save(tree, opened)
    return any(name.startswith("loss.") for name in tree.get("state_dict", ()))
