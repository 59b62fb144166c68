"""A step that does not fit into memory is taken in smaller parts, for the same update."""

from collections.abc import Callable

import torch
from torch import Tensor

from raysweep import parallel
from raysweep.errors import TrainingFailed
from raysweep.tracking import Tracker
from raysweep.training.state import TrainState, seed_step
from raysweep.training.step import Scalars


def step_within_memory(
    step: Callable[[Tensor], Scalars],
    state: TrainState,
    frames_NCHW: Tensor,
    clips: int,
    seed: int,
    tracker: Tracker,
) -> Scalars:
    """One step; where memory runs out, again in micro-batches of half the size or less, and so from then on.

    `clips`: those that the frames are of, which the settings count in. TrainingFailed where a micro-batch is one frame already, and where there are several workers: the others
    are in the middle of the step, and wait for this one.
    """
    while True:
        seed_step(seed, state.step, parallel.place().rank)
        try:
            return step(frames_NCHW)
        except torch.OutOfMemoryError:
            parts = _more_parts(len(frames_NCHW), state.accumulate)
        if parallel.in_group():
            raise _failed(frames_NCHW, state.accumulate, _more_parts(clips, state.accumulate))
        if parts is None:
            raise _failed(frames_NCHW, state.accumulate, None)
        state.accumulate = parts
        torch.cuda.empty_cache()
        tracker.note(
            state.step,
            f"out of memory: from here on in {parts} micro-batches of {len(frames_NCHW) // parts} frames. The "
            "batch is the same; batch normalization, the adaptive GAN weight and an EMA codebook's averages "
            "are of a micro-batch.",
        )


def _more_parts(whole: int, parts: int) -> int | None:
    """The least number of equal parts of `whole` that are at most half as large as now."""
    return next((more for more in range(2 * parts, whole + 1) if whole % more == 0), None)


def _failed(frames_NCHW: Tensor, parts: int, accumulate: int | None) -> TrainingFailed:
    """`accumulate`: what would go on with the same batch; None: nothing would."""
    frames, _, height, width = frames_NCHW.shape
    remedy = (
        f"Set data.resolution to {height // 2}, which takes a quarter of it, training.precision to bf16, or "
        "training.checkpoint_activations to true."
        if accumulate is None
        else f"Set training.accumulate to {accumulate}: the batch stays the same."
    )
    return TrainingFailed(
        f"out of memory with {frames // parts} frames of {height}x{width} px at a time on a worker. {remedy}"
    )
