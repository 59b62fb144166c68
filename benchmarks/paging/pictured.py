"""Pictures for a made-up experiment, kept as if its trials had been drawn before: frames of the demo's videos, blurred
and noisy, and codes at random on two levels.

Shapes: T frames, H, W pixels, C = 3 (RGB uint8).
"""

import json
from collections.abc import Sequence

import cv2
import numpy as np

from raysweep.commands.footage import store_of
from raysweep.commands.standing import as_asked
from raysweep.data.decoding.decode import Frames
from raysweep.data.demo import make_demo_videos
from raysweep.data.storing.store import prepare
from raysweep.experiment.layout import Experiment
from raysweep.report.samples.code_use import CodeUse, Seen
from raysweep.report.samples.gallery import Chosen, sample_of
from raysweep.report.samples.making import Sample
from raysweep.report.samples.pictures import embedded
from raysweep.report.samples.shots import Amount, Shots, choose_shots

KEPT = "val/psnr"
CODES = 1024
LEVELS = (8, 16)
"""Pixels per code position along one axis, of each."""
NOISE = 1.0
"""Standard deviation, of values up to 255: what is left of a frame's grain."""


def picture(experiment: Experiment, trials: Sequence[str]) -> None:
    storage = experiment.folder.parent
    data = as_asked(experiment).run().data
    footage, store = storage / "demo-videos", store_of(data, storage)
    make_demo_videos(footage, train=2, size=data.resolution)
    prepare(str(footage), store, data)
    shots = choose_shots(store, data, Amount())
    for number, trial in enumerate(trials):
        best = experiment.best_checkpoint(trial, KEPT)
        best.mkdir(parents=True)
        (best / "metrics.json").write_text(json.dumps({"step": number, "metrics": {}}))
        chosen = Chosen(trial, trial, experiment, trial, KEPT, data, store, {})
        made = _sample(shots, number)
        sample_of(chosen, shots, lambda made=made: made)


def _sample(shots: Shots, number: int) -> Sample:
    random = np.random.default_rng(number)
    seen = [_seen(frames_THWC, number, random) for frames_THWC in shots.frames]
    return Sample(
        step=number,
        pictures=tuple(embedded(each.frames_THWC) for each in seen),
        psnr=tuple(each.psnr for each in seen),
        maps=tuple(CodeUse(seen, at, CODES, it).sample() for at, it in enumerate(LEVELS)),
        collapse_usage=0.1,
        collapse_validations=3,
    )


def _seen(frames_THWC: Frames, number: int, random: np.random.Generator) -> Seen:
    length, side = frames_THWC.shape[:2]
    blurred = [cv2.GaussianBlur(frame_HWC, (0, 0), 0.5 + 0.1 * number) for frame_HWC in frames_THWC]
    noisy = np.stack(blurred) + random.normal(0, NOISE, frames_THWC.shape)
    return Seen(
        noisy.clip(0, 255).astype(np.uint8),
        (25.0,) * length,
        tuple(random.integers(0, CODES, (length, side // it, side // it)) for it in LEVELS),
    )
