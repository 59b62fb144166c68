"""A trial's best checkpoint and the shots -> what the page shows of them.

Shapes: N or T frames, C channels, H, W pixels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from raysweep.config import RunConfig, read_file
from raysweep.data.decoding.decode import Frames
from raysweep.metrics.base import Scored
from raysweep.metrics.psnr import PSNR
from raysweep.models import Tokenizer
from raysweep.report.samples.code_use import CodeUse, MapSample, Seen
from raysweep.report.samples.pictures import embedded, to_pictures
from raysweep.report.samples.shots import Shots
from raysweep.schema import Config, parse
from raysweep.training import TrainingConfig, checkpoint
from raysweep.training.evaluate import to_frames

AT_ONCE = 8
"""Frames that pass through the network together."""


class Sample(Config):
    """What the page shows of a trial; pictures are WebP as base64."""

    step: int
    """Of the checkpoint."""
    pictures: tuple[str, ...]
    """What became of each shot."""
    psnr: tuple[tuple[float, ...], ...]
    """dB, for each shot and each of its frames; before it was rounded to 8 bits."""
    maps: tuple[MapSample, ...]
    """Of each code map, in the order of `Tokenizer.codebook_sizes`."""
    collapse_usage: float
    """As TrainingConfig."""
    collapse_validations: int
    """As TrainingConfig."""


class Opened(NamedTuple):
    """A checkpoint's model."""

    tokenizer: Tokenizer
    training: TrainingConfig
    step: int


def open_checkpoint(source: Path, device: torch.device) -> Opened:
    """The model that an export of the checkpoint holds; ExperimentError where it is gone or damaged."""
    saved = checkpoint.load(source)
    run = parse(RunConfig, read_file(source / "config.yaml"))
    tokenizer = run.model.build()
    tokenizer.load_state_dict(checkpoint.weights_of(saved))
    return Opened(tokenizer.to(device).eval(), run.training, saved["step"])


@torch.inference_mode()
def make_sample(opened: Opened, shots: Shots, device: torch.device) -> Sample:
    tokenizer = opened.tokenizer
    seen = [_seen(tokenizer, frames_THWC, device) for frames_THWC in shots.frames]
    return Sample(
        step=opened.step,
        pictures=tuple(embedded(each.frames_THWC) for each in seen),
        psnr=tuple(each.psnr for each in seen),
        maps=tuple(use.sample() for use in _uses(tokenizer, seen)),
        collapse_usage=opened.training.collapse_usage,
        collapse_validations=opened.training.collapse_validations,
    )


def _uses(tokenizer: Tokenizer, seen: Sequence[Seen]) -> list[CodeUse]:
    sizes, factors = tokenizer.codebook_sizes, tokenizer.downsampling
    return [
        CodeUse(seen, at, size, pixels)
        for at, (size, pixels) in enumerate(zip(sizes, factors, strict=True))
    ]


def _seen(tokenizer: Tokenizer, frames_THWC: Frames, device: torch.device) -> Seen:
    parts = [
        _part(tokenizer, part, device) for part in torch.from_numpy(frames_THWC).split(AT_ONCE)
    ]
    return Seen(
        np.concatenate([part.frames_THWC for part in parts]),
        tuple(decibels for part in parts for decibels in part.psnr),
        tuple(map(np.concatenate, zip(*(part.codes for part in parts), strict=True))),
    )


def _part(tokenizer: Tokenizer, frames_THWC: Tensor, device: torch.device) -> Seen:
    frames_NCHW = to_frames(frames_THWC[None], device)
    decoded = tokenizer(frames_NCHW)
    scored = Scored(frames_NCHW, decoded.frames_NCHW, decoded.codes, len(frames_NCHW))
    psnr = PSNR().scores(scored).tolist()
    return Seen(
        to_pictures(decoded.frames_NCHW),
        tuple(round(decibels, 3) for decibels in psnr),
        tuple(codes.cpu().numpy() for codes in decoded.codes),
    )
