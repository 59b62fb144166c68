"""The shared dual-optimizer loop: one `fit` for a local run, a Ray worker, a trial and a test."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from raysweep.schema import Config

OptimizerKind = Literal["adam", "adamw"]


class TrainingConfig(Config):
    """How long and how fast to train."""

    steps: int = Field(default=100_000, ge=1)
    """Optimizer steps of the autoencoder."""
    epochs: int | None = Field(default=None, ge=1)
    """Passes over the training clips, instead of `steps`: they become steps once the clips are counted."""

    optimizer: OptimizerKind = "adam"
    """Kingma & Ba 2015, or Loshchilov & Hutter 2019, whose weight decay is not part of the gradient."""
    learning_rate: float = Field(default=1e-4, gt=0)
    """At its highest, before `schedule` and `warmup_steps`."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Decays of the averages of the gradient and of its square."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Per step and unit of learning rate (adamw), or added to the gradient (adam); 0: none."""
    disc_optimizer: OptimizerKind | None = None
    """The discriminator's; None, here and in the next three: as the autoencoder's."""
    disc_learning_rate: float | None = Field(default=None, gt=0)
    disc_betas: tuple[float, float] | None = None
    disc_weight_decay: float | None = Field(default=None, ge=0)
    fused: bool | None = None
    """One kernel for a whole optimizer step; None: on CUDA. Without it a step on CUDA waits for the device."""

    schedule: Literal["constant", "cosine", "exponential"] = "constant"
    """Of the autoencoder's learning rate: constant, down to a tenth along half a cosine, or by steps of
    `decay_rate`."""
    decay_rate: float = Field(default=0.99, gt=0, le=1)
    """Of `exponential`: the factor every `decay_every` steps."""
    decay_every: int = Field(default=1000, ge=1)
    """Steps."""
    warmup_steps: int = Field(default=0, ge=0)
    """Steps over which the autoencoder's learning rate rises linearly from zero."""

    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of the networks' convolutions and products; quantizers, losses and optimizers are always float32.
    `fp16` scales the losses so that small gradients survive: for cards without bf16."""
    clip_norm: float | None = Field(default=None, gt=0)
    """Largest norm of all gradients of a network together, over the global batch; None: any."""
    accumulate: int = Field(default=1, ge=1)
    """Micro-batches that a worker's share of a batch is taken in, one after another, for one update. Less
    memory, the same gradients; but batch statistics, the adaptive GAN weight and the moving averages of an
    EMA codebook are then of each micro-batch. Doubled by itself when one worker's memory runs out."""
    checkpoint_activations: bool = False
    """Compute blocks twice instead of keeping what they computed: less memory, about a third more time.
    Blocks with batch normalization are left, since they would count every batch twice."""
    compile: bool = False
    """torch.compile of encoder and decoder: minutes at the start, faster steps after."""
    channels_last: bool = False
    """Memory layout NHWC: faster where the convolution kernels like it."""
    weight_ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay per step of the averaged weights that validation and export use; 0: the weights themselves."""

    max_skipped: int = Field(default=20, ge=1)
    """Steps in a row with a loss or gradient that is not finite after which a run has diverged. Such a step
    changes nothing; its batch is passed over."""
    collapse_usage: float = Field(default=0.1, ge=0, le=1)
    """Share of the codes in use (val/code_usage) below which `training.log` warns of a collapse; 0: never."""
    collapse_validations: int = Field(default=3, ge=1)
    """Validations in a row below it before it does."""

    validate_every: int = Field(default=1000, ge=0)
    """Steps between validations, each with a checkpoint and a report; 0: only at the end."""
    log_every: int = Field(default=50, ge=1)
    """Steps between lines of training scalars; every validation has one too."""
    pictures_every: int = Field(default=1000, ge=0)
    """Steps between pictures of training frames; 0: none. Every validation has one of validation frames."""
    rfid: Literal["off", "pretrained"] | Path = "off"
    """Inception weights for the metric rfid: fetched, or a file of torch-fidelity's; `off`: no rfid, and
    validations take a fraction of the time."""
