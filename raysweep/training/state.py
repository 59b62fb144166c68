"""Everything of a run that a step changes."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import Adam, Optimizer

from raysweep.models import Tokenizer
from raysweep.training import TrainingConfig


@dataclass
class TrainState:
    """Both networks and both optimizers after `step` updates.

    Nothing else needs saving: learning rates, the order of the data and the random numbers of step n
    are functions of n (and of the seed).
    """

    tokenizer: Tokenizer
    discriminator: nn.Module
    optimizer: Optimizer
    disc_optimizer: Optimizer
    averaged: Tokenizer | None = None
    """The moving average of the tokenizer's weights, where the settings ask for one."""
    step: int = 0

    @property
    def result(self) -> Tokenizer:
        """What is validated and exported."""
        return self.tokenizer if self.averaged is None else self.averaged

    @classmethod
    def start(
        cls, tokenizer: Tokenizer, discriminator: nn.Module, config: TrainingConfig
    ) -> "TrainState":
        disc_rate = config.disc_learning_rate or config.learning_rate
        return cls(
            tokenizer,
            discriminator,
            Adam(tokenizer.parameters(), config.learning_rate, config.betas),
            Adam(discriminator.parameters(), disc_rate, config.betas),
            deepcopy(tokenizer).requires_grad_(False) if config.weight_ema else None,
        )

    def state_dict(self) -> dict[str, Any]:
        averaged = {} if self.averaged is None else {"averaged": self.averaged.state_dict()}
        return averaged | {
            "step": self.step,
            "tokenizer": self.tokenizer.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "disc_optimizer": self.disc_optimizer.state_dict(),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        self.tokenizer.load_state_dict(saved["tokenizer"])
        self.discriminator.load_state_dict(saved["discriminator"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.disc_optimizer.load_state_dict(saved["disc_optimizer"])
        if self.averaged is not None:
            self.averaged.load_state_dict(saved["averaged"])
        self.step = saved["step"]


def seed_step(seed: int, step: int, rank: int) -> None:
    """Makes this step's random numbers (dropout) a function of its number, whatever ran before."""
    (number,) = np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)
    torch.manual_seed(int(number))
