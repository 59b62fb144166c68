"""A run's figures and pictures: always as files in the trial's folder, elsewhere where the settings say so."""

import importlib.util
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from raysweep.errors import ConfigError
from raysweep.schema import Config
from raysweep.tracking.base import Picture, Tracker
from raysweep.tracking.jsonl import JsonLines
from raysweep.tracking.log import TrainingLog
from raysweep.tracking.pictures import PictureFolder
from raysweep.tracking.swanlab import SwanLab
from raysweep.tracking.tensorboard import TensorBoard
from raysweep.tracking.wandb import WandB

__all__ = ["Picture", "Tracker", "Trackers", "TrackingConfig", "trackers"]


class TrackingConfig(Config):
    """Where reports go besides `metrics.jsonl`, `training.log` and `reconstructions/`."""

    tensorboard: bool = True
    """Event files in the trial's `tensorboard/`."""
    wandb: bool = False
    """A Weights & Biases run per trial, grouped by experiment; kept in the trial's folder without a login."""
    wandb_project: str = "raysweep"
    """The W&B project that runs appear in."""
    wandb_job_type: str | None = None
    """What W&B groups runs of a project by, such as `train_model`."""
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
        """ConfigError where what they name is not installed."""
        if self.swanlab and importlib.util.find_spec("swanlab") is None:
            raise ConfigError(
                "tracking.swanlab needs the package swanlab, which is not installed. Run "
                "`pip install swanlab`, or set tracking.swanlab to false."
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
    destinations: list[Tracker] = [
        JsonLines.open(folder / "metrics.jsonl", resume_step),
        TrainingLog.open(folder / "training.log", resume_step),
        PictureFolder(folder / "reconstructions"),
    ]
    if config.tensorboard:
        destinations.append(TensorBoard(folder / "tensorboard", resume_step))
    if config.wandb:
        destinations.append(_wandb(config, folder, experiment, trial, settings))
    if config.swanlab:
        destinations.append(_swanlab(config, folder, experiment, trial, settings))
    return Trackers(destinations)


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
