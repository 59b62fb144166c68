"""How strong a GAN, from when on, and against which discriminator, does this footage bear?

Judged by LPIPS: PSNR mostly falls with a GAN, and would answer "none". LPIPS is part of the loss as well, so look at
the pictures in reconstructions/ before believing it, or judge by rFID (training.rfid=pretrained, objective=rfid).
To see what the GAN is worth at all, train the winner without: `raysweep train --from ... --set loss.disc_weight=0`.

Cost: at most 48 trials of 40,000 steps. The GAN begins between a tenth and two thirds of a run, so little can be
stopped before, and two thirds of all steps are trained: some 70 GPU hours with training.precision=bf16, counted as in
`codebook` and not measured. The discriminator itself adds a tenth or less.
"""

from typing import Any

from optuna import Trial

BASE = {
    "model": {"kind": "taming_vqgan", "quantizer": {"kind": "ema"}},
    "training": {"steps": 40_000, "warmup_steps": 500},
}
SWEEP = {"objective": "lpips", "budget": {"trials": 48}, "sampler": {"startup_trials": 12}}


def space(trial: Trial) -> dict[str, Any]:
    trial.suggest_float("loss.disc_start", 0.1, 0.65)  # of training.steps
    trial.suggest_categorical("loss.disc_every", [1, 2, 3])
    trial.suggest_categorical("loss.gan", ["hinge", "vanilla", "non_saturating"])
    trial.suggest_categorical("loss.lecam_weight", [0.0, 0.001, 0.05])
    trial.suggest_float("training.disc_learning_rate", 2e-5, 4e-4, log=True)
    _weight(trial)
    DISCRIMINATORS[trial.suggest_categorical("discriminator.kind", list(DISCRIMINATORS))](trial)
    return {}


def _weight(trial: Trial) -> None:
    """A weight by itself must be far smaller than one that multiplies a ratio of gradients."""
    if trial.suggest_categorical("loss.adaptive", [True, False]):
        trial.suggest_float("loss.disc_weight", 0.05, 1.5, log=True)
    else:
        trial.suggest_float("loss.disc_weight", 0.005, 0.5, log=True)


# --- what each discriminator is asked


def _patch(trial: Trial) -> None:
    trial.suggest_int("discriminator.layers", 2, 4)  # a logit sees 34, 70 or 142 px
    trial.suggest_categorical("discriminator.norm", ["batch", "group"])


def _blur(trial: Trial) -> None:
    trial.suggest_categorical("discriminator.ch", [64, 128])


DISCRIMINATORS = {"patch": _patch, "blur": _blur}
