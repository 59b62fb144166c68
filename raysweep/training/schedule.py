"""Learning rates as pure functions of the step, so that a resumed run needs no scheduler state."""

from math import cos, pi

from torch.optim import Optimizer

from raysweep.training import TrainingConfig
from raysweep.training.state import TrainState

FLOOR = 0.1
"""Share of the learning rate that the cosine ends at."""


def set_learning_rates(state: TrainState, config: TrainingConfig) -> None:
    """Gives both optimizers the rates of the step that `state` is about to take."""
    _set(state.optimizer, config.learning_rate * factor(config, state.step))
    _set(state.disc_optimizer, config.disc_learning_rate or config.learning_rate)


def factor(config: TrainingConfig, step: int) -> float:
    """Multiplier of the autoencoder's learning rate at `step`, in (0, 1]."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "constant":
        return warm
    if config.schedule == "exponential":
        return warm * config.decay_rate ** (step // config.decay_every)
    progress = min(1.0, step / config.steps)
    return warm * (FLOOR + (1 - FLOOR) * 0.5 * (1 + cos(pi * progress)))


def _set(optimizer: Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
