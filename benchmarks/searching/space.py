"""What is searched: settings of a VQ-GAN under raysweep's own paths, as define-by-run spaces of Optuna's."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Settings = Mapping[str, Any]
"""By dotted path."""

CODEBOOK_SIZES = [256, 1024, 4096, 16384]


def autoencoder(trial: Any) -> None:
    """No discriminator: six settings, of which each kind of quantizer is asked one of its own."""
    trial.suggest_categorical("model.quantizer.codebook_size", CODEBOOK_SIZES)
    if trial.suggest_categorical("model.quantizer.kind", ["gradient", "ema"]) == "ema":
        trial.suggest_categorical("model.quantizer.decay", [0.9, 0.99, 0.999])
    else:
        trial.suggest_float("model.quantizer.beta", 0.1, 1.0, log=True)
    trial.suggest_float("training.learning_rate", 1e-5, 1e-2, log=True)
    trial.suggest_float("loss.perceptual_weight", 0.1, 2.0, log=True)
    trial.suggest_float("loss.codebook_weight", 0.25, 4.0, log=True)


def gan(trial: Any) -> None:
    """The same, and when the discriminator starts (a fraction of the run) and what it weighs."""
    autoencoder(trial)
    trial.suggest_float("loss.disc_start", 0.05, 0.9)
    trial.suggest_float("loss.disc_weight", 0.05, 1.5, log=True)


class Draw:
    """Stands for an Optuna trial: uniform draws."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random, self.settings = random, dict[str, Any]()

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self.settings[name] = choices[int(self.random.random() * len(choices))]
        return self.settings[name]

    def suggest_float(self, name: str, low: float, high: float, log: bool = False) -> float:
        self.settings[name] = _placed(self.random.random(), low, high, log)
        return self.settings[name]


class Neighbour(Draw):
    """A draw near other settings: a step of normal size in each number, now and then another choice."""

    def __init__(self, random: np.random.Generator, centre: Settings, scale: float) -> None:
        """`scale`: standard deviation of a step, as a share of the range."""
        super().__init__(random)
        self.centre, self.scale = centre, scale

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        if name not in self.centre or self.random.random() < 0.2:
            return super().suggest_categorical(name, choices)
        self.settings[name] = self.centre[name]
        return self.settings[name]

    def suggest_float(self, name: str, low: float, high: float, log: bool = False) -> float:
        if name not in self.centre:
            return super().suggest_float(name, low, high, log)
        place = _place(self.centre[name], low, high, log) + self.scale * self.random.normal()
        self.settings[name] = _placed(min(1.0, max(0.0, place)), low, high, log)
        return self.settings[name]


def _placed(share: float, low: float, high: float, log: bool) -> float:
    """The value at a share of the range."""
    return low * (high / low) ** share if log else low + (high - low) * share


def _place(value: float, low: float, high: float, log: bool) -> float:
    return math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
