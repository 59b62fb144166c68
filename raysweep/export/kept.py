"""The best checkpoint that a trial keeps, read whole, also while the trial trains on."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import yaml

from raysweep.config import RunConfig
from raysweep.errors import ExperimentError
from raysweep.experiment.layout import Experiment
from raysweep.models.published.naming import State
from raysweep.pretrained import Pretrained
from raysweep.schema import parse
from raysweep.training import checkpoint

ATTEMPTS = 20
SECONDS = 0.1
"""Between attempts: a better checkpoint takes the place of the one before in less."""


class Kept(NamedTuple):
    experiment: Experiment
    trial: str
    config: RunConfig
    step: int
    metrics: Mapping[str, float]
    """Of the validation at that step."""
    weights: State
    """The tokenizer's, averaged where the trial averages them."""
    discriminator: State

    def model(self, device: torch.device) -> Pretrained:
        tokenizer = self.config.model.build()
        tokenizer.load_state_dict(self.weights)
        return Pretrained(tokenizer, self.config, device)


def read_kept(experiment: Experiment, trial: str, metric: str) -> Kept:
    """What `trial` has kept as best by `metric` (`val/psnr`, or another name of what is kept); ExperimentError
    where there is nothing, or nothing whole."""
    source = experiment.best_checkpoint(trial, metric)
    if not source.exists():
        raise ExperimentError(
            f"trial {trial} of {experiment.folder} has no checkpoint kept for {metric} at {source}. "
            "Name a trial that has been validated; `raysweep status` lists them."
        )
    for _ in range(ATTEMPTS):
        if (kept := _read(experiment, trial, source)) is not None:
            return kept
        time.sleep(SECONDS)
    raise ExperimentError(
        f"{source} must hold config.yaml, metrics.json and state.pt of one step, and does not. Name another trial."
    )


def _read(experiment: Experiment, trial: str, source: Path) -> Kept | None:
    """None while another checkpoint takes its place."""
    try:
        told = json.loads((source / "metrics.json").read_text())
        settings = yaml.safe_load((source / "config.yaml").read_text())
        saved = checkpoint.load(source)
    except FileNotFoundError:
        return None
    except ExperimentError:
        if (source / "state.pt").exists():
            raise
        return None
    if saved["step"] != told["step"]:
        return None
    config, weights = parse(RunConfig, settings), checkpoint.weights_of(saved)
    figures = told["metrics"], weights, saved["discriminator"]
    return Kept(experiment, trial, config, told["step"], *figures)
