"""Everything of a run that a step changes."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from raysweep.models import Tokenizer
from raysweep.training import TrainingConfig, optimizers
from raysweep.training.precision import LossScale


@dataclass
class TrainState:
    """Both networks and both optimizers after `step` steps, and what a step hands to the next.

    Nothing else needs saving: learning rates, the order of the data and the random numbers of step n
    are functions of n (and of the seed).
    """

    tokenizer: Tokenizer
    discriminator: nn.Module
    optimizer: Adam
    disc_optimizer: Adam
    averaged: Tokenizer | None
    """The moving average of the tokenizer's weights, where the settings ask for one."""
    scale: LossScale
    logit_averages: Tensor
    """LeCAM's: of the discriminator's logits at real frames and at reconstructions, (2,)."""
    skipped: Tensor
    """Steps that were not finite and changed nothing: all of them, and the last ones in a row, (2,)."""
    accumulate: int
    """Micro-batches of a step: as set, or more where the memory ran out."""
    collapsed: int = 0
    """Validations in a row with too few codes in use."""
    step: int = 0

    @property
    def result(self) -> Tokenizer:
        """What is validated and exported."""
        return self.tokenizer if self.averaged is None else self.averaged

    @classmethod
    def start(
        cls, tokenizer: Tokenizer, discriminator: nn.Module, config: TrainingConfig
    ) -> "TrainState":
        device = next(tokenizer.parameters()).device
        return cls(
            tokenizer,
            discriminator,
            optimizers.build(tokenizer, config),
            optimizers.build(discriminator, optimizers.for_discriminator(config)),
            deepcopy(tokenizer).requires_grad_(False) if config.weight_ema else None,
            LossScale(config.precision, device),
            logit_averages=torch.zeros(2, device=device),
            skipped=torch.zeros(2, dtype=torch.long, device=device),
            accumulate=config.accumulate,
        )

    def state_dict(self) -> dict[str, Any]:
        averaged = {} if self.averaged is None else {"averaged": self.averaged.state_dict()}
        return averaged | {
            "step": self.step,
            "tokenizer": self.tokenizer.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "disc_optimizer": self.disc_optimizer.state_dict(),
            "scale": self.scale.state_dict(),
            "logit_averages": self.logit_averages,
            "skipped": self.skipped,
            "accumulate": self.accumulate,
            "collapsed": self.collapsed,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        self.tokenizer.load_state_dict(saved["tokenizer"])
        self.discriminator.load_state_dict(saved["discriminator"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.disc_optimizer.load_state_dict(saved["disc_optimizer"])
        if self.averaged is not None:
            self.averaged.load_state_dict(saved["averaged"])
        self.scale.load_state_dict(saved["scale"])
        self.logit_averages.copy_(saved["logit_averages"])
        self.skipped.copy_(saved["skipped"])
        self.accumulate = saved["accumulate"]
        self.collapsed = saved["collapsed"]
        self.step = saved["step"]


def seed_step(seed: int, step: int, rank: int) -> None:
    """Makes this step's random numbers (dropout, noise) a function of its number, whatever ran before."""
    (number,) = np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)
    torch.manual_seed(int(number))
