"""`fit`: train, validate, checkpoint, report. Who listens to the reports, it does not know."""

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from raysweep import parallel
from raysweep.losses import LossConfig
from raysweep.metrics import Metric
from raysweep.models import Tokenizer
from raysweep.tracking import Tracker
from raysweep.tracking.pictures import side_by_side
from raysweep.training import TrainingConfig, average, checkpoint
from raysweep.training.collapse import watch_usage
from raysweep.training.evaluate import evaluate, to_frames
from raysweep.training.memory import step_within_memory
from raysweep.training.schedule import set_learning_rates
from raysweep.training.state import TrainState
from raysweep.training.step import Scalars, read
from raysweep.training.validation_loss import with_total

DIVERGED = "diverged"
"""Metric of the last report of a run that stopped because nothing was finite any more: the step it was at."""

MICRO_BATCHES = "train/micro_batches"
"""Metric of a run whose memory ran out: into how many a worker's share of a batch has been split."""


PICTURE_FRAMES = 8
"""Frames side by side in a picture."""

LATEST = "train/step"
"""The only metric of a run that nothing validates: its latest checkpoint counts as its best."""


class Report(NamedTuple):
    """One validation. `checkpoint` is a folder on rank 0, None elsewhere; the receiver may move it."""

    step: int
    metrics: dict[str, float]
    checkpoint: Path | None


class Batches(Protocol):
    """uint8 clips (B, T, H, W, C): this rank's share. `validation` may be empty; then there is no `preview`.

    Whoever takes a stream closes it: something may read ahead of it.
    """

    def train(self, step: int) -> Generator[Tensor]: ...

    def validation(self) -> Generator[Tensor]: ...

    def preview(self) -> Tensor: ...


@dataclass(frozen=True)
class Parts:
    """A run, assembled but not started."""

    state: TrainState
    step: Callable[[Tensor], Scalars]
    """This rank's frames -> scalars of one more step: `Step`, or a stand-in."""
    new_metrics: Callable[[], Mapping[str, Metric]]
    config: TrainingConfig
    loss: LossConfig
    seed: int
    device: torch.device
    kept_best: Mapping[str, checkpoint.Improves]
    """By what the best checkpoints are kept: a metric, or a name for several together."""
    settings: Mapping[str, Any]
    """The resolved configuration, for the checkpoint."""


def fit(
    parts: Parts,
    batches: Batches,
    report: Callable[[Report], None],
    tracker: Tracker,
    best: Path | None = None,
) -> bool:
    """Trains from `parts.state.step` to the configured number of steps.

    `report` is called on every rank at every validation; rank 0 copies improved checkpoints under `best`.
    A step that is not finite is passed over; too many in a row, or a metric that is not finite, end the run
    with a report of `diverged` and no checkpoint. Returns whether it came to its end.
    """
    try:
        with closing(batches.train(parts.state.step)) as stream:
            _train(parts, stream, batches, report, tracker, best)
    except NotFinite:
        report(Report(parts.state.step, {DIVERGED: float(parts.state.step)}, None))
        return False
    return True


def resume(parts: Parts, folder: Path, report: Callable[[Report], None]) -> None:
    """Loads a checkpoint and reports its metrics again, in case the first report was lost."""
    parts.state.load_state_dict(checkpoint.load(folder))
    report(Report(parts.state.step, checkpoint.saved_metrics(folder), None))


class NotFinite(Exception):
    """Nothing can be learned any more, or a metric is NaN or infinite."""


class Meter:
    """How fast steps are made, since the last reading."""

    def __init__(self) -> None:
        self._start()

    def waited_for(self, stream: Iterator[Tensor]) -> Tensor:
        """The stream's next batch."""
        since = time.perf_counter()
        clips_BTHWC = next(stream)
        self._waited += time.perf_counter() - since
        return clips_BTHWC

    def count(self, frames: int) -> None:
        """One step, of so many frames on this worker."""
        self._steps += 1
        self._frames += frames * parallel.place().workers

    def read(self) -> dict[str, float]:
        """`data_wait` is the share of the time in which this worker waited for its batches."""
        seconds = time.perf_counter() - self._since
        speeds = {
            "train/frames_per_second": self._frames / seconds,
            "train/steps_per_second": self._steps / seconds,
            "train/data_wait": self._waited / seconds,
        }
        self._start()
        return speeds

    def _start(self) -> None:
        self._frames = self._steps = 0
        self._waited, self._since = 0.0, time.perf_counter()


def _train(
    parts: Parts,
    stream: Iterator[Tensor],
    batches: Batches,
    report: Callable[[Report], None],
    tracker: Tracker,
    best: Path | None,
) -> None:
    config, state, meter = parts.config, parts.state, Meter()
    while state.step < config.steps:
        set_learning_rates(state, config)
        clips_BTHWC = meter.waited_for(stream)
        frames = to_frames(clips_BTHWC, parts.device)
        clips = len(clips_BTHWC)
        scalars = step_within_memory(parts.step, state, frames, clips, parts.seed, tracker)
        if state.averaged is not None:
            decay = average.decay_at(config.weight_ema, state.step)
            average.update(state.averaged, state.tokenizer, decay)
        meter.count(len(frames))
        validates = _due(state.step, config.validate_every, config.steps)
        if validates or _due(state.step, config.max_skipped, config.steps):
            _require_progress(state, config)
        if validates or _due(state.step, config.log_every, config.steps):
            _log(state.step, scalars, meter, tracker)
        if config.pictures_every and state.step % config.pictures_every == 0:
            _show(parts, state.tokenizer, frames, "train/reconstruction", tracker)
        if validates:
            metrics = _validate(parts, batches, tracker)
            _checkpoint_and_report(parts, metrics, report, best)


def _due(step: int, every: int, steps: int) -> bool:
    return step == steps or (every > 0 and step % every == 0)


def _log(step: int, scalars: Scalars, meter: Meter, tracker: Tracker) -> None:
    tracker.scalars(step, {**read(scalars), **meter.read()})


def _validate(parts: Parts, batches: Batches, tracker: Tracker) -> dict[str, float]:
    state = parts.state
    with closing(batches.validation()) as clips:
        figures = evaluate(state.result, parts.new_metrics(), clips, parts.device)
    if not figures:  # data.split none
        return {LATEST: float(state.step)}
    metrics = with_total(figures, parts.loss)
    _require_finite(metrics)
    if state.accumulate > parts.config.accumulate:
        metrics[MICRO_BATCHES] = float(state.accumulate)
    tracker.scalars(state.step, metrics)
    watch_usage(state, metrics["val/code_usage"], parts.config, tracker)
    clips_BTHWC = batches.preview()[:, :1]  # the first frame of each
    frames = to_frames(clips_BTHWC, parts.device)
    _show(parts, state.result, frames, "val/reconstruction", tracker)
    return metrics


@torch.no_grad()
def _show(
    parts: Parts, tokenizer: Tokenizer, frames_NCHW: Tensor, name: str, tracker: Tracker
) -> None:
    """Frames above their reconstructions, from the first rank."""
    if parallel.place().rank != 0:
        return
    shown = frames_NCHW[:PICTURE_FRAMES]
    reconstruction = tokenizer.eval()(shown).frames_NCHW
    tokenizer.train()
    tracker.image(parts.state.step, name, side_by_side(shown, reconstruction))


def _checkpoint_and_report(
    parts: Parts,
    metrics: dict[str, float],
    report: Callable[[Report], None],
    best: Path | None,
) -> None:
    step = parts.state.step
    if parallel.place().rank != 0:
        return report(Report(step, metrics, None))
    with tempfile.TemporaryDirectory(prefix="raysweep-") as scratch:
        folder = Path(scratch) / f"checkpoint_{step:09d}"
        checkpoint.save(folder, parts.state, metrics, parts.settings)
        if best is not None:
            checkpoint.keep_best(folder, metrics, parts.kept_best, best)
        return report(Report(step, metrics, folder))


def _require_progress(state: TrainState, config: TrainingConfig) -> None:
    _, in_a_row = state.skipped.tolist()
    if in_a_row >= config.max_skipped:
        raise NotFinite(f"{in_a_row} steps in a row")


def _require_finite(values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not isfinite(value):
            raise NotFinite(name)
