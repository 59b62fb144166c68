"""Which reconstruction terms, and in what ratio, restore this footage best?

Judged by SSIM, which is none of the terms: by LPIPS, the answer would be its own weight as high as it goes. Adam
does not feel the scale of the whole loss, so the pixel term keeps weight 1 and the others move against it. No GAN:
`gan` asks about that, with the winner's weights as --set.

Cost: at most 32 trials of 20,000 steps, of which successive halving leaves about two thirds: some 25 GPU hours
with training.precision=bf16, counted as in `codebook` and not measured.
"""

from typing import Any

from optuna import Trial

BASE = {
    "model": {"kind": "taming_vqgan", "quantizer": {"kind": "ema"}},
    "loss": {"disc_weight": 0.0},
    "training": {"steps": 20_000, "warmup_steps": 500},
}
SWEEP = {"objective": "ssim", "budget": {"trials": 32}, "sampler": {"startup_trials": 10}}


def space(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("loss.pixel", ["l1", "l2", "l1+l2"])
    trial.suggest_float("loss.perceptual_weight", 0.02, 4.0, log=True)
    trial.suggest_float("loss.codebook_weight", 0.1, 4.0, log=True)
    trial.suggest_float("model.quantizer.beta", 0.1, 1.0, log=True)
    trial.suggest_float("training.learning_rate", 5e-5, 5e-4, log=True)
    return {}
