"""How fast a store is prepared, beside decoding the same files with nothing else to do, and in what memory."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2

from loading.material import CONFIG
from loading.memory import Watch
from raysweep.cluster.pipeline import on_all_nodes
from raysweep.cluster.runtime import connected
from raysweep.data.decoding.decode import READERS, read_timed
from raysweep.data.decoding.fit import fit_square
from raysweep.data.storing.store import prepare


@dataclass(frozen=True)
class Memory:
    """Bytes, of this process and of Ray's."""

    idle: int
    """Before there is anything to do."""
    peak: int


def cores() -> list[int]:
    """Those that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def ours(footage: Path, store: Path) -> float:
    """Seconds, from after Ray's start."""
    with connected():
        start = time.perf_counter()
        prepare(footage, store, CONFIG, run=on_all_nodes)
        return time.perf_counter() - start


def memory(footage: Path, store: Path) -> Memory:
    with connected():
        with Watch() as idle:
            time.sleep(2)
        with Watch() as watch:
            prepare(footage, store, CONFIG, run=on_all_nodes)
    return Memory(idle.peak_bytes, watch.peak_bytes)


def plainly(footage: Path) -> float:
    """Seconds of reading every frame with OpenCV as its tutorials do, then resizing and cropping, on one core."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_read_plainly, sorted(footage.iterdir()), cores()[0]).result()


def _read_plainly(videos: list[Path], core: int) -> float:
    _stay_on(core)
    start = time.perf_counter()
    for path in videos:
        video = cv2.VideoCapture(str(path))
        while (read := video.read())[0]:
            frame_HWC = cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
            height, width = frame_HWC.shape[:2]
            size = (round(width * CONFIG.side / height), CONFIG.side)
            resized_HWC = cv2.resize(frame_HWC, size, interpolation=cv2.INTER_AREA)
            left = (size[0] - CONFIG.side) // 2
            resized_HWC[:, left : left + CONFIG.side].copy()
    return time.perf_counter() - start


def _stay_on(core: int) -> None:
    os.sched_setaffinity(0, {core})
    cv2.setNumThreads(1)


def decoding(footage: Path, processes: int) -> float:
    """Seconds of decoding and fitting every frame, one core and one thread a process, which share the files."""
    videos = sorted(footage.iterdir())
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        shares = [(videos[n::processes], cores()[n]) for n in range(processes)]
        return max(pool.map(_decode, *zip(*shares, strict=True)))


def _decode(videos: list[Path], core: int) -> float:
    _stay_on(core)
    start = time.perf_counter()
    for video in videos:
        for _, frame_HWC in read_timed(video, READERS, lambda what: None):
            fit_square(frame_HWC, CONFIG)
    return time.perf_counter() - start
