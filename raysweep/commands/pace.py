"""How fast a run goes here: the loop itself on made-up frames, with a clock where it asks for them."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from raysweep.assemble import assemble
from raysweep.config import RunConfig
from raysweep.errors import TrainingFailed
from raysweep.tracking import Trackers
from raysweep.training.loop import Report, fit

WARM_UP = 3
"""Steps before the clock runs: the first ones allocate, choose kernels and compile."""
STEPS = 20
"""At least so many are timed, in whole turns of the discriminator."""
VALIDATED = 2
"""Batches of a validation that are timed, after one that is not."""
NEVER = 10**9
"""A step that no run comes to."""


class Pace(NamedTuple):
    """Seconds, of one worker with its share of every batch."""

    step: float
    """Before the GAN begins, or without one."""
    gan_step: float
    """With it."""
    validation: float
    """Of a clip."""
    checkpoint: float
    """Of a picture and a checkpoint, which come with every validation."""


def pace(run: RunConfig, device: torch.device) -> Pace:
    """Times the run as it is before its GAN begins and as it is then; TrainingFailed where it is never finite."""
    timing = run.loss.gan_timing(run.training.steps)
    begins = run.training.steps if timing.start is None else timing.start
    kinds = [start for start, is_met in ((NEVER, begins > 0), (0, _gan_steps(run))) if is_met]
    clocked = {start: _clocked(run, start, device) for start in kinds}
    last = clocked[kinds[-1]]
    steps = {start: clock.step_seconds for start, clock in clocked.items()}
    return Pace(
        steps.get(NEVER, 0.0), steps.get(0, 0.0), last.validation_seconds, last.checkpoint_seconds
    )


def seconds_of(run: RunConfig, pace: Pace, validation_clips: int) -> float:
    """A whole trial, without its start, as long as one that nothing stops."""
    steps, gan_steps = run.training.steps, _gan_steps(run)
    validations = math.ceil(steps / run.training.validate_every)
    share = validation_clips / run.cluster.least_workers
    each = pace.validation * share + pace.checkpoint
    return pace.step * (steps - gan_steps) + pace.gan_step * gan_steps + validations * each


def _gan_steps(run: RunConfig) -> int:
    steps = run.training.steps
    start = run.loss.gan_timing(steps).start
    return 0 if start is None else max(0, steps - start)


def _clocked(run: RunConfig, disc_start: int, device: torch.device) -> "_Clocked":
    every = run.loss.disc_every
    steps = math.ceil(STEPS / every) * every
    run = _shortened(run, WARM_UP + steps, disc_start)
    clock = _Clocked(run, steps, device)
    with _threads(run.cluster.cpus_per_worker):
        if not fit(assemble(run, device), clock, clock.report, Trackers([])):
            raise TrainingFailed(
                f"an estimate times {STEPS} steps, and within them nothing was finite any more. "
                "Lower training.learning_rate, or what the space lets it be."
            )
    return clock


def _shortened(run: RunConfig, steps: int, disc_start: int) -> RunConfig:
    rarely = {"validate_every": 0, "log_every": steps, "pictures_every": 0}
    training = run.training.model_copy(update={"steps": steps, "epochs": None, **rarely})
    at_once = {"disc_start": disc_start, "disc_warmup_steps": 0, "disc_ramp": 0}
    loss = run.loss.model_copy(update=at_once)
    return run.model_copy(update={"training": training, "loss": loss})


class _Clocked:
    """A worker's batches of noise; times what the loop does between them."""

    def __init__(self, run: RunConfig, steps: int, device: torch.device) -> None:
        clips, data = run.data.batch_size // run.cluster.least_workers, run.data
        shape = (clips, data.clip_length, data.resolution, data.resolution, 3)
        self._clips_BTHWC = torch.randint(0, 256, shape, dtype=torch.uint8)
        self._steps, self._device = steps, device
        self._since = 0.0
        self.step_seconds = self.validation_seconds = self.checkpoint_seconds = 0.0

    def train(self, step: int) -> Generator[Tensor]:
        for _ in range(WARM_UP):
            yield self._clips_BTHWC
        self._lap()
        while True:
            yield self._clips_BTHWC

    def validation(self) -> Generator[Tensor]:
        self.step_seconds = self._lap() / self._steps
        yield self._clips_BTHWC
        self._lap()
        for _ in range(VALIDATED):
            yield self._clips_BTHWC

    def preview(self) -> Tensor:
        self.validation_seconds = self._lap() / (VALIDATED * len(self._clips_BTHWC))
        return self._clips_BTHWC

    def report(self, report: Report) -> None:
        self.checkpoint_seconds = self._lap()

    def _lap(self) -> float:
        """Seconds since the last one."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        before, self._since = self._since, time.perf_counter()
        return self._since - before


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    """As many as a worker has, for the duration."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    yield
    torch.set_num_threads(before)
