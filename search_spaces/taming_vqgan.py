"""How large a codebook, and how much GAN and how early, does a VQGAN want on this footage?

Codebook size, disc_start and the loss weights of the published model, f16 and 72 M parameters.

Cost: at most 16 trials of 100,000 steps, of which successive halving leaves about two thirds: some 60 GPU hours with
training.precision=bf16, counted as in `codebook` and not measured.
"""

from typing import Any

from optuna import Trial

BASE = {"model": {"kind": "taming_vqgan", "quantizer": {"kind": "ema"}}}


def space(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("model.quantizer.codebook_size", [512, 1024, 2048, 4096, 8192, 16384])
    trial.suggest_float("loss.disc_start", 0.1, 0.7)  # of training.steps
    trial.suggest_float("loss.disc_weight", 0.05, 1.5, log=True)
    trial.suggest_float("loss.perceptual_weight", 0.1, 2.0, log=True)
    trial.suggest_float("loss.codebook_weight", 0.25, 4.0, log=True)
    return {}
