"""One pass over footage for one model, or for two side by side."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from raysweep.config import RunConfig
from raysweep.evaluation.extremes import Extremes
from raysweep.evaluation.passes import Footage, Pass
from raysweep.evaluation.scores import Scores
from raysweep.metrics import Scored
from raysweep.pretrained import Pretrained
from raysweep.training.evaluate import scored

SHOWN = 6
"""Frames of a picture at each end."""


class Found(NamedTuple):
    scores: list[Scores]
    """One for each model."""
    extremes: Extremes


@torch.inference_mode()
def run(
    models: Sequence[Pretrained],
    measured: RunConfig,
    footage: Footage,
    advance: Callable[[int], None],
) -> Found:
    """Every frame once; `measured` as in `Scores`; `advance` is told how many frames more are done.

    ConfigError where a model cannot take the frames, DataError where there are none.
    """
    found = Found(
        [Scores(model.tokenizer, measured, model.device) for model in models], Extremes(SHOWN)
    )
    for source, passes in groupby(footage.passes(), key=lambda one: one.source):
        frames, size = 0, ""
        for one in passes:
            batches = _batches(models, one)
            for scores, batch in zip(found.scores, batches, strict=True):
                scores.add(batch)
            found.extremes.add(one.labels, batches)
            frames, size = frames + len(one.labels), size or _size(one.clips_BTHWC)
            advance(len(one.labels))
        for scores in found.scores:
            scores.end(source, frames, size)
    return found


def _batches(models: Sequence[Pretrained], one: Pass) -> list[Scored]:
    height, width = one.clips_BTHWC.shape[2:4]
    for model in models:
        model.tokenizer.check_size(height, width)
    return [scored(model.tokenizer, one.clips_BTHWC, model.device) for model in models]


def _size(clips_BTHWC: Tensor) -> str:
    height, width = clips_BTHWC.shape[2:4]
    return f"{width}x{height}"
