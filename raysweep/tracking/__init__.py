"""A run's figures and pictures: always as files in the trial's folder, elsewhere where the settings say so."""

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from raysweep.errors import ConfigError
from raysweep.schema import Config
from raysweep.tracking import swanlab, wandb
from raysweep.tracking.base import Picture, Tracker
from raysweep.tracking.guarded import Guarded
from raysweep.tracking.jsonl import JsonLines
from raysweep.tracking.log import TrainingLog
from raysweep.tracking.mlflow import WHERE, MLflow
from raysweep.tracking.pictures import PictureFolder
from raysweep.tracking.swanlab import SwanLab
from raysweep.tracking.tensorboard import TensorBoard
from raysweep.tracking.wandb import WandB

__all__ = ["ADDRESSES", "Picture", "Tracker", "Trackers", "TrackingConfig", "trackers"]

ADDRESSES = {"SwanLab": swanlab.URL_FILE, "W&B": wandb.URL_FILE}
"""Where a trial is seen in a browser -> the file in its folder that holds the address, where there is one."""


class TrackingConfig(Config):
    """Where reports go besides `metrics.jsonl`, `training.log` and `reconstructions/`."""

    tensorboard: bool = True
    """Event files in the trial's `tensorboard/`; of a folder above several trials, TensorBoard's page HParams
    compares settings and figures."""
    wandb: bool = False
    """A Weights & Biases run per trial, grouped by experiment; kept in the trial's folder without a login."""
    wandb_project: str = "raysweep"
    """The W&B project that runs appear in."""
    wandb_job_type: str | None = None
    """What W&B groups runs of a project by, such as `train_model`."""
    mlflow: bool = False
    """An MLflow run per trial, in an experiment per sweep, where MLFLOW_TRACKING_URI says; needs
    `pip install mlflow-skinny`."""
    swanlab: bool = False
    """A SwanLab experiment per trial; needs `pip install swanlab`. Kept in the trial's folder without a key."""
    swanlab_project: str = "raysweep"
    """The SwanLab project that experiments appear in."""
    swanlab_experiment: str | None = None
    """Their name, before the trial's id; None: the experiment's here."""
    swanlab_tags: tuple[str, ...] = ()
    """Labels that experiments are found by there."""
    swanlab_notes: str | None = None
    """A description that is shown beside them."""
    swanlab_host: str | None = None
    """Address of a server of one's own; None: swanlab.cn."""

    def check(self) -> None:
        """ConfigError where what they name is not installed, or does not know where to write."""
        if self.swanlab:
            _require("swanlab", "swanlab")
        if self.mlflow:
            _require("mlflow", "mlflow-skinny")
        if self.mlflow and not os.environ.get(WHERE):
            raise ConfigError(
                f"tracking.mlflow writes where {WHERE} says, and that is not set. Give a server's address, or "
                "a database such as sqlite:////home/me/mlflow.db."
            )


def _require(module: str, package: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ConfigError(
            f"tracking.{module} needs the package {package}, which is not installed. Run "
            f"`pip install {package}`, or set tracking.{module} to false."
        )


class Trackers(Tracker):
    """Several destinations as one; leaving the `with` block closes them."""

    def __init__(self, destinations: list[Tracker]) -> None:
        self._destinations = destinations

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for destination in self._destinations:
            destination.scalars(step, values)

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        for destination in self._destinations:
            destination.image(step, name, picture_HWC)

    def note(self, step: int, text: str) -> None:
        for destination in self._destinations:
            destination.note(step, text)

    def close(self) -> None:
        with ExitStack() as every_one_even_if_another_fails:
            for destination in self._destinations:
                every_one_even_if_another_fails.callback(destination.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def trackers(
    config: TrackingConfig,
    folder: Path,
    *,
    experiment: str,
    trial: str,
    settings: Mapping[str, Any],
    resume_step: int | None,
) -> Trackers:
    """A trial's destinations, for the one rank that reports.

    `folder` is the trial's; `settings` is its resolved config, shown beside the figures; `resume_step` is
    the step of the checkpoint that the run goes on from, None for a new run.
    """
    log = TrainingLog.open(folder / "training.log", resume_step)
    destinations: list[Tracker] = [
        JsonLines.open(folder / "metrics.jsonl", resume_step),
        log,
        PictureFolder(folder / "reconstructions"),
    ]
    if config.tensorboard:
        destinations.append(TensorBoard(folder / "tensorboard", resume_step, settings))
    for name, begin in _elsewhere(config, folder, experiment, trial, settings):
        destinations.append(Guarded(f"tracking.{name}", begin, log, resume_step))
    return Trackers(destinations)


def _elsewhere(
    config: TrackingConfig, folder: Path, experiment: str, trial: str, settings: Mapping[str, Any]
) -> Iterator[tuple[str, Callable[[], Tracker]]]:
    """Destinations that are not ours, by their settings' names."""
    if config.wandb:
        yield "wandb", partial(_wandb, config, folder, experiment, trial, settings)
    if config.mlflow:
        yield (
            "mlflow",
            partial(MLflow, folder, experiment=experiment, name=trial, settings=settings),
        )
    if config.swanlab:
        yield "swanlab", partial(_swanlab, config, folder, experiment, trial, settings)


def _wandb(
    config: TrackingConfig, folder: Path, experiment: str, trial: str, settings: Mapping[str, Any]
) -> Tracker:
    project = config.wandb_project
    return WandB(
        folder,
        project=project,
        group=experiment,
        name=trial,
        settings=settings,
        job_type=config.wandb_job_type,
    )


def _swanlab(
    config: TrackingConfig, folder: Path, experiment: str, trial: str, settings: Mapping[str, Any]
) -> Tracker:
    name = f"{config.swanlab_experiment or experiment}-{trial}"
    return SwanLab(
        folder,
        project=config.swanlab_project,
        name=name,
        group=experiment,
        settings=settings,
        tags=config.swanlab_tags,
        notes=config.swanlab_notes,
        host=config.swanlab_host,
    )
