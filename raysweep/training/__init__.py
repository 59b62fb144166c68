"""The shared dual-optimizer loop: one `fit` for a local run, a Ray worker, a trial and a test."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from raysweep.schema import Config


class TrainingConfig(Config):
    """How long and how fast to train."""

    steps: int = Field(default=100_000, ge=1)
    """Optimizer steps of the autoencoder."""
    learning_rate: float = Field(default=1e-4, gt=0)
    """Of both optimizers, unless `disc_learning_rate` is given."""
    disc_learning_rate: float | None = Field(default=None, gt=0)
    betas: tuple[float, float] = (0.5, 0.9)
    """Adam's, of both optimizers."""
    schedule: Literal["constant", "cosine"] = "constant"
    """Of the autoencoder's learning rate: constant, or down to a tenth along half a cosine."""
    warmup_steps: int = Field(default=0, ge=0)
    """Steps over which the autoencoder's learning rate rises linearly from zero."""
    validate_every: int = Field(default=1000, ge=0)
    """Steps between validations, each with a checkpoint and a report; 0: only at the end."""
    log_every: int = Field(default=50, ge=1)
    """Steps between lines of training scalars; every validation has one too."""
    weight_ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay per step of the averaged weights that validation and export use; 0: the weights themselves."""
    rfid: Literal["off", "pretrained"] | Path = "off"
    """Inception weights for the metric rfid: fetched, or a file of torch-fidelity's; `off`: no rfid, and
    validations take a fraction of the time."""
    channels_last: bool = False
    """Memory layout NHWC: faster where the convolution kernels like it."""
