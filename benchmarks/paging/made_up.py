"""An experiment as a driver leaves it, of made-up learning curves: trials that saturate, jump when their GAN begins,
are stopped at rungs, and fail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from raysweep.experiment.events import Event
from raysweep.experiment.layout import Experiment, create

STEPS = 100_000
BEGAN = 1_800_000_000.0
"""Seconds since the epoch."""
STEP_SECONDS = 0.25
RUNGS = (0.1, 0.3)
"""Parts of a run after which the worse are stopped."""
BASE = {
    "data": {"source": "demo", "resolution": 128, "clip_length": 8, "batch_size": 8},
    "model": {"kind": "taming_vqgan", "resolution": 128},
    "training": {"steps": STEPS, "validate_every": 1000},
    "cluster": {"gpus_per_worker": 1},
}


def make(folder: Path, trials: int, validations: int, seed: int = 0) -> Experiment:
    """`trials` of up to `validations` each, which is where the rungs are counted from."""
    experiment = Experiment(folder)
    base = {**BASE, "training": {"steps": STEPS, "validate_every": STEPS // validations}}
    sweep = {"name": folder.name, "base": base, "objective": "psnr", "budget": {"trials": trials}}
    create(experiment, yaml.safe_dump(sweep), None)
    experiment.events.parent.mkdir()
    lines = [json.dumps(event) for event in _events(trials, validations, seed)]
    experiment.events.write_text("\n".join(lines) + "\n")
    facts = {"mean_colour_psnr": 14.2, "fingerprint": {"frames": "f" * 64, "weights": {}}}
    experiment.validation_file.write_text(json.dumps(facts))
    return experiment


def _events(trials: int, validations: int, seed: int) -> Iterator[Event]:
    random, now = np.random.default_rng(seed), BEGAN
    yield {"kind": "opened", "trial": "", "time": now}
    for number in range(trials):
        for event in _of_trial(number, trials, validations, random):
            now += event.pop("seconds")
            yield {**event, "trial": f"{number:04d}", "time": round(now, 3)}
    yield {"kind": "closed", "trial": "", "time": now}


def _of_trial(
    number: int, trials: int, validations: int, random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """`seconds`: since the event before."""
    params = _params(random)
    gan = round(params["loss.disc_start"] * STEPS)
    known = {"last_step": STEPS, "gan_from": gan, "gpus": 1.0}
    settings = {"params": params, "settings": params}
    yield {"kind": "proposed", "origin": "space", "seconds": 0.0, **settings, **known}
    yield {"kind": "started", "seconds": 5.0}
    talent = _talent(params) + random.normal(0, 0.5)
    last, state, reason = _end(number, talent, random)
    steps = np.linspace(0, STEPS, validations + 1)[1:].astype(int)
    for step in steps[steps <= last * STEPS]:
        metrics = _metrics(int(step), gan, talent, params, random)
        seconds = STEPS / validations * STEP_SECONDS
        yield {"kind": "report", "step": int(step), "metrics": metrics, "seconds": seconds}
    yield {"kind": "ended", "state": state, "reason": reason, "seconds": 1.0}


def _params(random: np.random.Generator) -> dict[str, Any]:
    return {
        "training.learning_rate": float(10 ** random.uniform(-5, -3)),
        "model.quantizer.kind": str(random.choice(["gradient", "ema", "fsq"])),
        "model.quantizer.codebook_size": int(random.choice([256, 1024, 4096, 16384])),
        "loss.disc_start": round(float(random.uniform(0.1, 0.7)), 2),
        "loss.disc_weight": float(10 ** random.uniform(-1.5, 0)),
    }


def _talent(params: dict[str, Any]) -> float:
    """PSNR that a run comes to, in dB."""
    rate = np.log10(params["training.learning_rate"])
    kind = {"gradient": 0.0, "ema": 1.0, "fsq": 1.4}[params["model.quantizer.kind"]]
    size = np.log2(params["model.quantizer.codebook_size"])
    return float(24 + kind + 0.35 * size - 2.5 * (rate + 3.9) ** 2)


def _end(number: int, talent: float, random: np.random.Generator) -> tuple[float, str, str]:
    """How far it runs, in [0, 1], its last state, and why."""
    if number % 17 == 5:
        error = "RuntimeError: CUDA out of memory. Tried to allocate 2.50 GiB"
        return float(random.uniform(0.1, 0.6)), "failed", error
    if talent < 26:
        return RUNGS[0], "stopped", f"below its peers at step {round(RUNGS[0] * STEPS)}"
    if talent < 27.5:
        return RUNGS[1], "stopped", f"below its peers at step {round(RUNGS[1] * STEPS)}"
    return 1.0, "finished", ""


def _metrics(
    step: int, gan: int, talent: float, params: dict[str, Any], random: np.random.Generator
) -> dict[str, float]:
    grown = 1 - np.exp(-step / (0.15 * STEPS))
    judged = params["loss.disc_weight"] * (1 - np.exp(-max(0, step - gan) / (0.1 * STEPS)))
    psnr = 14 + (talent - 14) * grown - 0.8 * judged + random.normal(0, 0.08)
    bits = float(np.log2(params["model.quantizer.codebook_size"])) / 256
    usage = 0.2 + 0.7 * grown if params["model.quantizer.kind"] != "gradient" else 0.3 * grown
    return {
        "val/psnr": float(psnr),
        "val/ssim": float(0.3 + 0.02 * (psnr - 10)),
        "val/lpips": float(0.7 - 0.018 * psnr - 0.05 * judged + random.normal(0, 0.002)),
        "val/bits_per_pixel": bits,
        "val/entropy_bits_per_pixel": float(bits * (0.6 + 0.4 * usage)),
        "val/perplexity": float(usage * params["model.quantizer.codebook_size"]),
        "val/code_usage": float(usage),
        "val/loss/total": float(1.2 - 0.03 * psnr),
    }
