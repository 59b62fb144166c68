"""Which codebook size and loss weights suit a small VQGAN on these clips? About five minutes on two CPU cores.

The settings below are for speed: eight frames a step, few channels at full resolution, and a learning
rate that a run of this length can bear. A longer run wants a lower one.
"""

from typing import Any

from optuna import Trial

BASE = {
    "data": {"source": "demo", "resolution": 64, "clip_length": 1, "batch_size": 8},
    "model": {
        "kind": "taming_vqgan",
        "ch": 8,
        "ch_mult": [1, 2, 6],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "resolution": 64,
        "z_channels": 16,
        "quantizer": {"kind": "ema", "codebook_size": 512, "embedding_dim": 8, "decay": 0.9},
    },
    "discriminator": {"ch": 16, "layers": 2, "norm": "group"},
    "loss": {"pixel": "l2", "perceptual_net": "alex"},
    "training": {
        "steps": 240,
        "learning_rate": 3e-3,
        "disc_learning_rate": 1e-3,
        "schedule": "cosine",
        "warmup_steps": 20,
        "validate_every": 40,
        "log_every": 20,
        "channels_last": True,
    },
}
SWEEP = {
    "budget": {"trials": 9},
    "scheduler": {"grace": 80, "reduction_factor": 2},
    "sampler": {"startup_trials": 4},
}


def space(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("model.quantizer.codebook_size", [128, 256, 512, 1024])
    trial.suggest_float("loss.disc_start", 0.6, 0.95)  # of training.steps
    trial.suggest_float("loss.disc_weight", 0.02, 0.4, log=True)
    trial.suggest_float("loss.perceptual_weight", 0.01, 0.3, log=True)
    trial.suggest_float("loss.codebook_weight", 0.1, 1.0, log=True)
    return {}
