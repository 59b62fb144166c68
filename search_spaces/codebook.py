"""How many codes, of how many dimensions, under which quantizer, does this footage need?

For a VQGAN at f16 without a GAN, which would add noise to every answer. A larger codebook can only help PSNR as
far as it is used: beside the score, compare val/code_usage and val/bits_per_pixel, the price of a code.
`families` asks more of fewer sizes.

Cost: at most 48 trials of 20,000 steps, of which successive halving leaves about two thirds: some 35 GPU hours
with training.precision=bf16. Counted and not measured: at 128 px `raysweep describe` has 0.1 TFLOPs a frame,
training takes thrice that and LPIPS a tenth more, a step has 64 frames, and a card does 100 TFLOPs a second.
"""

from typing import Any

from optuna import Trial

BASE = {
    "model": {"kind": "taming_vqgan"},
    "loss": {"disc_weight": 0.0},
    "training": {"steps": 20_000, "warmup_steps": 500},
}
SWEEP = {"budget": {"trials": 48}, "sampler": {"startup_trials": 12}}


def space(trial: Trial) -> dict[str, Any]:
    quantizer = trial.suggest_categorical("model.quantizer.kind", list(QUANTIZERS))
    sizes = [256, 1024, 4096, 16384, 65536]  # FSQ and LFQ have levels for all of them
    trial.suggest_categorical("model.quantizer.codebook_size", sizes)
    trial.suggest_categorical("model.quantizer.embedding_dim", [8, 32, 128])
    QUANTIZERS[quantizer](trial)
    return {}


# --- how each keeps its codes in use


def _by_gradient(trial: Trial) -> None:
    trial.suggest_float("model.quantizer.beta", 0.1, 1.0, log=True)


def _by_average(trial: Trial) -> None:
    _by_gradient(trial)
    trial.suggest_categorical("model.quantizer.decay", [0.9, 0.99, 0.999])


def _without_codebook(trial: Trial) -> None:
    """A code is an FSQ level or an LFQ sign of each channel: nothing of it can go unused for good."""


QUANTIZERS = {
    "gradient": _by_gradient,
    "ema": _by_average,
    "optvq": _by_gradient,
    "cosine": _by_gradient,
    "simvq": _by_gradient,
    "fsq": _without_codebook,
    "lfq": _without_codebook,
}
