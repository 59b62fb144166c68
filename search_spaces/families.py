"""Which family, with which quantizer, reconstructs this footage best at f16?

Every family codes 16 px as one position here (`hierarchical` adds a second level of 32 px), and there is no
GAN: it flatters all of them, and makes a trial twice as dear. What a pair's codes cost still differs:
compare val/bits_per_pixel beside the score.

Cost: at most 64 trials of 100,000 steps, of which successive halving leaves about two thirds: some 250 GPU hours
with training.precision=bf16, counted as in `codebook` and not measured. With training.steps=20000, about 15.
"""

from typing import Any

from optuna import Trial

BASE = {"loss": {"disc_weight": 0.0}}
SWEEP = {"budget": {"trials": 64}, "sampler": {"startup_trials": 16}}


def space(trial: Trial) -> dict[str, Any]:
    kind = trial.suggest_categorical("model.kind", list(FAMILIES))
    quantizer = trial.suggest_categorical("model.quantizer.kind", list(QUANTIZERS))
    trial.suggest_categorical("model.quantizer.codebook_size", [1024, 4096, 16384])
    trial.suggest_categorical("model.quantizer.embedding_dim", [16, 64, 256])
    trial.suggest_float("training.learning_rate", 5e-5, 1e-3, log=True)
    QUANTIZERS[quantizer](trial)
    return FAMILIES[kind](trial)


# --- what each family is asked, under the same name where families share it; and its sizes at f16


def _taming_vqgan(trial: Trial) -> dict[str, Any]:
    trial.suggest_int("model.num_res_blocks", 1, 2)
    trial.suggest_categorical("model.ch", [64, 128])
    return {}


def _grouped(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("model.hidden", [64, 128, 256])
    trial.suggest_int("model.blocks_per_group", 1, 2)
    return {"model.group_count": 5}


def _hierarchical(trial: Trial) -> dict[str, Any]:
    trial.suggest_categorical("model.hidden", [64, 128, 256])
    trial.suggest_int("model.nb_res_layers", 1, 4)
    return {"model.scaling_rates": [16, 2], "model.wide_decoder": True}


def _conv(trial: Trial) -> dict[str, Any]:
    trial.suggest_int("model.num_res_blocks", 1, 2)
    return {}


FAMILIES = {
    "taming_vqgan": _taming_vqgan,
    "grouped": _grouped,
    "hierarchical": _hierarchical,
    "conv": _conv,
}


# --- what each quantizer is asked


def _beta(trial: Trial) -> None:
    trial.suggest_float("model.quantizer.beta", 0.1, 1.0, log=True)


def _by_average(trial: Trial) -> None:
    _beta(trial)
    trial.suggest_categorical("model.quantizer.decay", [0.9, 0.99, 0.999])


def _optvq(trial: Trial) -> None:
    _beta(trial)
    trial.suggest_float("model.quantizer.epsilon", 3.0, 30.0, log=True)


def _cosine(trial: Trial) -> None:
    _beta(trial)
    trial.suggest_categorical("model.quantizer.code_dim", [8, 16, 32])


def _residual(trial: Trial) -> None:
    _by_average(trial)
    trial.suggest_int("model.quantizer.stages", 2, 4)  # times the bits of the others


def _fsq(trial: Trial) -> None:
    """Its codebook size says all."""


def _lfq(trial: Trial) -> None:
    _beta(trial)
    trial.suggest_float("model.quantizer.entropy_weight", 0.01, 1.0, log=True)


QUANTIZERS = {
    "gradient": _beta,
    "ema": _by_average,
    "optvq": _optvq,
    "cosine": _cosine,
    "residual": _residual,
    "simvq": _beta,
    "fsq": _fsq,
    "lfq": _lfq,
}
