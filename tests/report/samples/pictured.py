"""Experiments whose trials can be pictured: a prepared store, and checkpoints of tiny models that learned nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare
from raysweep.experiment.layout import Experiment
from raysweep.report.samples.gallery import Chosen, Galleries, galleries
from raysweep.report.samples.shots import Amount
from raysweep.schema import Tree
from raysweep.training import checkpoint
from tests.data.media import write_video
from tests.models.pairs import FAMILIES, QUANTIZERS
from tests.tiny import CPU, EMA, tiny_parts

SIDE = 32
KEPT = "val/psnr"
AMOUNT = Amount(stills=3, clips=1, clip_frames=6)
TWO_LEVELS: Tree = {"model": {**FAMILIES["hierarchical"], "quantizer": EMA}}
STAGES: Tree = {"model": {**FAMILIES["conv"], "quantizer": QUANTIZERS["residual"]}}
USAGE = {10: {"val/code_usage": 0.5}, 20: {"val/code_usage": 0.25}}
"""Two reports, as TrialRecord has them."""


def filmed(folder: Path) -> tuple[DataConfig, Path]:
    """Two short videos to train on and two to validate, and their store."""
    for split, seed in (("train", 1), ("train", 2), ("valid", 3), ("valid", 4)):
        write_video(folder / "footage" / split / f"{seed}.mp4", frames=10, seed=seed)
    data = DataConfig(source=str(folder / "footage"), resolution=SIDE, clip_length=2)
    prepare(folder / "footage", folder / "store", data)
    return data, folder / "store"


def train(
    experiment: Experiment, trial: str, changes: Tree | None = None, psnr: float = 20.0
) -> None:
    """Gives it a best checkpoint."""
    parts = tiny_parts({"loss.perceptual_net": "none", **(changes or {})})
    best = experiment.best_checkpoint(trial, KEPT)
    checkpoint.save(best, parts.state, {KEPT: psnr}, parts.settings)


def chosen(
    experiment: Experiment,
    trial: str,
    footage: tuple[DataConfig, Path],
    label: str | None = None,
    reports: Mapping[int, Mapping[str, float]] = USAGE,
) -> Chosen:
    data, store = footage
    return Chosen(trial, label or trial, experiment, trial, KEPT, data, store, reports)


def pictured(trials: Sequence[Chosen], amount: Amount = AMOUNT) -> tuple[Galleries, list[str]]:
    """And what was told meanwhile."""
    told: list[str] = []
    return galleries(trials, amount, CPU, told.append), told
