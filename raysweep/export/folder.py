"""A trial's best checkpoint -> a folder that works without the experiment, Ray, or pickle.

config.json           the run's resolved settings
model.safetensors     the tokenizer's weights
metrics.json          step and figures of the checkpoint's validation, and what measuring the folder again has shown
reconstructions.png   validation frames above their reconstructions, where the trial still has the picture
README.md             a model card
encoder.*, decoder.*  graphs for others, where they are asked for
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from raysweep.experiment.layout import Experiment
from raysweep.export.again import Again
from raysweep.export.card import Facts, model_card
from raysweep.export.kept import Kept, read_kept
from raysweep.export.target import require_replaceable, whole_folder
from raysweep.hub import write_model
from raysweep.pretrained import Pretrained, load

CPU = torch.device("cpu")


class Graphs(NamedTuple):
    """What a form has added to the folder."""

    told: Mapping[str, Any]
    """For metrics.json."""
    use: str
    """For the card."""


def not_again(model: Pretrained, told: Mapping[str, float]) -> Again:
    return Again(why_not="nobody asked for it")


def no_graphs(folder: Path) -> Graphs:
    return Graphs({}, "")


def export(
    experiment: Experiment,
    trial: str,
    metric: str,
    folder: Path,
    *,
    again: Callable[[Pretrained, Mapping[str, float]], Again] = not_again,
    graphs: Callable[[Path], Graphs] = no_graphs,
    device: torch.device = CPU,
    made_with: Mapping[str, str] | None = None,
) -> Path:
    """Writes what `trial` keeps as best by `metric` (`val/psnr`) to `folder`.

    `graphs` adds further files; `again` measures what was written, on `device`, and is told the trial's figures.
    ExperimentError where one of them finds that it is another model.
    """
    require_replaceable(folder)
    kept = read_kept(experiment, trial, metric)
    with whole_folder(folder) as partial:
        write_model(partial, kept.config, kept.weights)
        added = graphs(partial)
        measured = again(load(partial, device), kept.metrics)
        _write_told(kept, measured, added, partial / "metrics.json")
        picture = _copy_picture(kept, partial / "reconstructions.png")
        facts = Facts(measured, added.use, picture, made_with)
        (partial / "README.md").write_text(model_card(kept, facts), encoding="utf-8")
    return folder


def _write_told(kept: Kept, measured: Again, added: Graphs, file: Path) -> None:
    told = {
        "step": kept.step,
        "metrics": kept.metrics,
        "experiment": kept.experiment.where,
        "trial": kept.trial,
        "evaluated_again": asdict(measured),
        **added.told,
    }
    file.write_text(json.dumps(told, indent=2))


def _copy_picture(kept: Kept, target: Path) -> bool:
    """The picture that the exported validation left; False where it is gone."""
    folder = kept.experiment.trial(kept.trial) / "reconstructions"
    picture = folder / f"val-reconstruction-{kept.step:08d}.png"
    if not picture.exists():
        return False
    shutil.copyfile(picture, target)
    return True
