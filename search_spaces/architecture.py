"""How should a VQGAN at f16 spend its compute: on width, on depth, on fine or on coarse resolutions?

Every shape codes 16 px as one position of 4,096 codes, so the rate is the same and PSNR compares; what a shape
costs does not: from 17 to 285 GFLOPs a frame of 128 px, 15 M to 153 M parameters (`raysweep describe`; the
published one has 98 and 72 M). Choose by score and cost together. The learning rate moves along, since wide
models bear less of it; there is no GAN.

Cost: at most 48 trials of 20,000 steps, of which successive halving leaves about two thirds: some 35 GPU hours
with training.precision=bf16, counted as in `codebook` and not measured.
"""

from typing import Any

from optuna import Trial

BASE = {
    "model": {"kind": "taming_vqgan", "quantizer": {"kind": "ema", "codebook_size": 4096}},
    "loss": {"disc_weight": 0.0},
    "training": {"steps": 20_000, "warmup_steps": 500},
}
SWEEP = {"budget": {"trials": 48}, "sampler": {"startup_trials": 12}}


def space(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("model.ch", [64, 96, 128])
    trial.suggest_categorical("model.ch_mult", SHAPES)
    trial.suggest_int("model.num_res_blocks", 1, 3)
    trial.suggest_categorical("model.attn_resolutions", ATTENTION)
    trial.suggest_categorical("model.z_channels", [64, 256])
    trial.suggest_float("training.learning_rate", 5e-5, 5e-4, log=True)
    return {}


# Lists of Any: Optuna's types know choices among single values alone.
SHAPES: list[Any] = [
    [1, 1, 2, 2, 4],  # as published
    [1, 2, 2, 4, 4],
    [1, 2, 4, 4, 4],
]
"""Width of each resolution, finest first, in parts of model.ch: five of them are f16."""
ATTENTION: list[Any] = [[], [16], [16, 32]]
"""Resolutions with attention, of frames of 256 px: the coarsest, and the one above it."""
