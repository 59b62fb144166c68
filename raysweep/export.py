"""A trial's best checkpoint -> a folder that works without the experiment, Ray, or pickle; or a file for others.

config.json           the run's resolved settings
model.safetensors     the tokenizer's weights
metrics.json          of the checkpoint's validation: step and figures
reconstructions.png   validation frames above their reconstructions, where the trial still has the picture
README.md             a model card
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from raysweep.config import RunConfig, read_file
from raysweep.data.sources.places import entries_of
from raysweep.errors import ExperimentError
from raysweep.experiment.layout import Experiment
from raysweep.models.published.formats import FORMATS
from raysweep.models.summary import PARTS, summarize
from raysweep.schema import parse
from raysweep.training import checkpoint

PICTURE = "\n![Validation frames above their reconstructions](reconstructions.png)\n"


def export(experiment: Experiment, trial: str, metric: str, folder: Path) -> Path:
    """Writes the checkpoint of `trial` that was best by `metric` (`val/psnr`) to `folder`."""
    source = _best_checkpoint(experiment, trial, metric)
    _require_replaceable(folder)
    config = parse(RunConfig, read_file(source / "config.yaml"))
    saved = json.loads((source / "metrics.json").read_text())
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    saved_state = checkpoint.load(source)
    state = saved_state.get("averaged", saved_state["tokenizer"])
    save_file(
        {name: tensor.contiguous() for name, tensor in state.items()}, partial / "model.safetensors"
    )
    (partial / "config.json").write_text(json.dumps(config.model_dump(mode="json"), indent=2))
    (partial / "metrics.json").write_text(json.dumps(saved, indent=2))
    picture = _copy_picture(experiment.trial(trial), saved["step"], partial / "reconstructions.png")
    card = _model_card(experiment, trial, config, saved)
    (partial / "README.md").write_text(card + (PICTURE if picture else ""))
    checkpoint.remove_folder(folder)
    partial.rename(folder)
    return folder


def export_for(form: str, experiment: Experiment, trial: str, metric: str, file: Path) -> bool:
    """Writes the same checkpoint as one file that public code loads: `form` is a name of FORMATS.

    Returns whether the discriminator is in it. ConfigError for a model that the code has not.
    """
    source = _best_checkpoint(experiment, trial, metric)
    if file.exists():
        raise ExperimentError(
            f"an export as one file replaces none, and {file} exists. Delete it, or name another one."
        )
    config = parse(RunConfig, read_file(source / "config.yaml"))
    saved = checkpoint.load(source)
    weights = saved.get("averaged", saved["tokenizer"])
    tree = FORMATS[form](config.model, weights, saved["discriminator"])
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    torch.save(tree, partial)
    partial.rename(file)
    return any(name.startswith("loss.") for name in tree.get("state_dict", ()))


def _best_checkpoint(experiment: Experiment, trial: str, metric: str) -> Path:
    source = experiment.best_checkpoint(trial, metric)
    if not source.exists():
        raise ExperimentError(
            f"trial {trial} of {experiment.folder} has no checkpoint kept for {metric} at {source}. "
            "Name a trial that has been validated; `raysweep status` lists them."
        )
    return source


def _require_replaceable(folder: Path) -> None:
    """An export takes the place of an earlier one, and of nothing else."""
    taken = any(folder.iterdir()) if folder.is_dir() else folder.exists()
    if taken and not (folder / "model.safetensors").exists():
        raise ExperimentError(
            f"an export writes a folder of its own, and {folder} holds something else. Name another one."
        )


def _copy_picture(trial: Path, step: int, target: Path) -> bool:
    """The picture that the exported validation left; False where it is gone."""
    picture = trial / "reconstructions" / f"val-reconstruction-{step:08d}.png"
    if not picture.exists():
        return False
    shutil.copyfile(picture, target)
    return True


def _model_card(
    experiment: Experiment, trial: str, config: RunConfig, saved: Mapping[str, Any]
) -> str:
    figures = "\n".join(f"| {name} | {value:.5g} |" for name, value in saved["metrics"].items())
    resolution = config.data.resolution
    footage = ", ".join(entries_of(config.data.source or str(config.data.store)))
    return f"""# {experiment.folder.name}, trial {trial}

A discrete video tokenizer ({config.model.kind}, {config.model.quantizer.kind} quantizer,
{config.model.quantizer.codebook_size} codes) for frames of {resolution} px, trained for {saved["step"]} steps on
`{footage}`.

```python
import raysweep
tokenizer = raysweep.load("this folder")
codes = tokenizer.encode_video("video.mp4")  # one (T, h, w) tensor of ids per code map
frames = tokenizer.decode(codes)  # a NumPy array (T, H, W, 3), uint8 RGB
```

| validation | value |
|---|---|
{figures}

```
{summarize(config.model, resolution, PARTS)}```
"""
