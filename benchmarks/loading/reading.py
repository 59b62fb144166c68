"""How fast a reader gives batches, and how long a training step waits for them."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import NamedTuple

import torch
from torch import Tensor

from loading import ours, peers
from loading.material import CONFIG, Material
from raysweep.cluster.runtime import connected

STEP_SECONDS, STEP_THREADS = 0.1, 2
MATRIX = 512
"""Rows and columns: one product takes milliseconds, so that a step of 0.1 s is many of them."""


class Reader(NamedTuple):
    name: str
    batches: Callable[[Material], Iterator[Tensor]]
    """Opens it, and gives BTHWC batches without end."""
    module: str = "torch"
    """What it imports, which may not be installed."""
    on_ray: bool = False


SEEKING = [
    Reader(f"OpenCV seeking, {n} loader workers", partial(peers.loaded, peers.Seeking, n))
    for n in (0, 2)
]
DECODERS = [
    Reader(
        "torchcodec, 2 loader workers", partial(peers.loaded, peers.Torchcodec, 2), "torchcodec"
    ),
    Reader("PyAV, 2 loader workers", partial(peers.loaded, peers.PyAV, 2), "av"),
]
ARRAYS = [
    Reader(f"memory-mapped array, {n} loader workers", partial(peers.loaded, peers.MemoryMap, n))
    for n in (0, 2)
]
OURS = Reader("ours, Ray Data", partial(ours.shared_memory, CONFIG), on_ray=True)
OURS_OTHERWISE = [
    Reader("ours, Ray Data, data.random_start", partial(ours.shared_memory, ours.RANDOM_START), on_ray=True),
    Reader("ours, memory map", partial(ours.memory_map, CONFIG)),
]  # fmt: skip
READERS = [*SEEKING, *DECODERS, *ARRAYS, OURS, *OURS_OTHERWISE]


@dataclass(frozen=True)
class Reading:
    frames_per_second: float
    """After the first batch, with nothing else to do."""
    first_batch_seconds: float
    """From opening the reader; of ours on Ray, from after Ray's start."""
    waiting_share: float
    """Of the time from one batch to the next, where a training step lies between them."""
    step_seconds: float
    """Of those steps, the reader working beside them."""
    clip_levels: list[float]
    """The mean of each clip in the first batch: readers of the same clips agree on them."""


def missing(reader: Reader) -> str | None:
    """Why it cannot be measured here."""
    try:
        import_module(reader.module)
    except (
        ImportError,
        OSError,
        RuntimeError,
    ) as error:  # torchcodec raises the last without FFmpeg
        return str(error).strip().splitlines()[0]
    return None


def measure(reader: Reader, material: Material, seconds: float, stepping_seconds: float) -> Reading:
    torch.set_num_threads(STEP_THREADS)
    step = _matmul_step()
    with connected() if reader.on_ray else nullcontext():
        start = time.perf_counter()
        batches = reader.batches(material)
        first_BTHWC = next(batches)
        latency = time.perf_counter() - start
        speed = _frames_per_second(batches, seconds)
        waiting, stepping = _interleaved(batches, step, stepping_seconds)
        del batches  # what reads ahead ends before Ray does
    levels = first_BTHWC.float().mean((1, 2, 3, 4)).tolist()
    return Reading(speed, latency, waiting / (waiting + stepping), stepping, levels)


def _frames_per_second(batches: Iterator[Tensor], seconds: float) -> float:
    frames, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        clips, length = next(batches).shape[:2]
        frames += clips * length
    return frames / (time.perf_counter() - start)


def _interleaved(
    batches: Iterator[Tensor], step: Callable[[], object], seconds: float
) -> tuple[float, float]:
    """Mean seconds of waiting for a batch and of the step after it."""
    waits, steps = [], []
    while sum(waits) + sum(steps) < seconds:
        waits.append(_seconds(partial(next, batches)))
        steps.append(_seconds(step))
    return statistics.mean(waits), statistics.mean(steps)


def _matmul_step() -> Callable[[], object]:
    """As many products as take STEP_SECONDS on this machine."""
    matrix = torch.rand(MATRIX, MATRIX)

    def multiply(times: int) -> None:
        for _ in range(times):
            matrix @ matrix

    multiply(20)
    one = min(_seconds(partial(multiply, 20)) for _ in range(10)) / 20
    return partial(multiply, round(STEP_SECONDS / one))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
