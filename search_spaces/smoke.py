"""Does a sweep run at all here? Tiny models on generated clips: seconds a trial, offline, on any CPU."""

from typing import Any

from optuna import Trial

BASE = {
    "data": {"source": "demo", "resolution": 32, "clip_length": 2, "batch_size": 4},
    "model": {
        "kind": "taming_vqgan",
        "ch": 8,
        "ch_mult": [1, 2, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "resolution": 32,
        "z_channels": 16,
        "quantizer": {"kind": "ema", "codebook_size": 64, "embedding_dim": 8},
    },
    "discriminator": {"ch": 8, "layers": 2, "norm": "group"},
    "loss": {"perceptual_net": "squeeze", "perceptual_init": "random"},
    "training": {"steps": 20, "learning_rate": 1e-3, "validate_every": 5, "log_every": 5},
}
SWEEP = {"budget": {"trials": 4}}


def space(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("model.quantizer.codebook_size", [32, 64, 128])
    trial.suggest_int("loss.disc_start", 5, 15)
    trial.suggest_float("loss.disc_weight", 0.1, 1.0, log=True)
    return {}
