"""A run on disk: one folder that holds everything needed to go on, and the metrics it had.

state.pt        TrainState.state_dict() under a format version; tensors and plain values only
metrics.json    step and metrics, so that a resumed run can report them again
config.yaml     the resolved settings
"""

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from raysweep.errors import ExperimentError, StorageError
from raysweep.full_disk import told_when_full
from raysweep.training.state import TrainState

Improves = Callable[[Mapping[str, float], Mapping[str, float]], bool]
"""Whether a checkpoint of the first metrics takes the place of one of the second, which are empty where there is
none yet."""

VERSION = 2

_SINCE_VERSION_1: dict[str, Any] = {
    "scale": {"value": torch.tensor(1.0), "good_steps": torch.tensor(0)},
    "logit_averages": torch.zeros(2),
    "skipped": torch.zeros(2, dtype=torch.long),
    "accumulate": 1,
    "collapsed": 0,
}
"""What a run of version 1, which knew none of these, would have had."""


def save(
    folder: Path, state: TrainState, metrics: Mapping[str, float], settings: Mapping[str, Any]
) -> None:
    """Writes a checkpoint into `folder`; a reader sees all of it or, without state.pt, none.

    StorageError where there is no room for it.
    """
    told = {"step": state.step, "metrics": dict(metrics)}
    partial = folder / "state.pt.partial"
    with told_when_full(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(dict(settings), sort_keys=False))
        (folder / "metrics.json").write_text(json.dumps(told))
        with partial.open("wb") as file:  # a path would leave the reason of a failure unsaid
            torch.save({"version": VERSION, **state.state_dict()}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / "state.pt")


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint is there of which no byte was lost or changed: `state.pt` holds checksums of all its parts."""
    try:
        saved_metrics(folder)
        with zipfile.ZipFile(folder / "state.pt") as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, json.JSONDecodeError):
        return False


def load(folder: Path) -> dict[str, Any]:
    """The saved state, on the CPU (Adam's step counts belong there); runs no code from the file.

    A checkpoint of an older version is brought up to this one.
    """
    path = folder / "state.pt"
    if not path.exists():
        raise ExperimentError(
            f"no checkpoint in {folder}: state.pt is missing. Name another trial."
        )
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ExperimentError(
            f"{path} must be a whole checkpoint of tensors and plain values ({type(error).__name__}). "
            f"Delete {folder}, or name another trial."
        ) from error
    if saved["version"] == 1:
        return {**_SINCE_VERSION_1, **saved, "version": VERSION}
    if saved["version"] != VERSION:
        raise ExperimentError(
            f"checkpoint format must be version 1 to {VERSION}, got {saved['version']} in {path}. "
            "Use the raysweep that wrote it."
        )
    return saved


def weights_of(saved: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tokenizer's of a saved state: averaged where the trial averages them."""
    weights: dict[str, Tensor] = saved.get("averaged", saved["tokenizer"])
    return weights


def saved_metrics(folder: Path) -> dict[str, float]:
    return dict(json.loads((folder / "metrics.json").read_text())["metrics"])


def keep_best(
    checkpoint: Path,
    metrics: Mapping[str, float],
    kept_best: Mapping[str, Improves],
    best: Path,
) -> None:
    """Copies `checkpoint` to `best/<name>/` for each name of `kept_best` that it improves."""
    for name, improves in kept_best.items():
        home = best / name.removeprefix("val/")
        if improves(metrics, saved_metrics(home) if home.exists() else {}):
            replace_folder(checkpoint, home)


def replace_folder(source: Path, target: Path) -> None:
    """Puts a copy of `source` at `target`; whatever stood there goes last, and stays where there is no room."""
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with told_when_full(target):
            _copy_files(source, partial)
    except StorageError:
        shutil.rmtree(partial)
        raise
    doomed = _hide(target)
    partial.rename(target)
    shutil.rmtree(doomed, ignore_errors=True)


def _copy_files(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for file in source.iterdir():
        shutil.copy2(file, target)


def remove_folder(folder: Path) -> None:
    """Takes it out of sight in one step, then deletes it: no reader meets half a checkpoint."""
    shutil.rmtree(_hide(folder), ignore_errors=True)


def _hide(folder: Path) -> Path:
    """Renames `folder`, where there is one, to a name that no reader looks for."""
    hidden = folder.with_name(f".{folder.name}.removed")
    shutil.rmtree(hidden, ignore_errors=True)
    if folder.exists():
        folder.rename(hidden)
    return hidden
