"""Frames per second from footage to torch batches: the prepared store against seeking in the videos.

The peer is the usual loader: a torch DataLoader whose every item seeks to a random clip with OpenCV.
Control: one pass over all frames in file order, where preparing a store is work that never pays back;
there plain sequential decoding should win.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from raysweep.data import DataConfig
from raysweep.data.batches import Batches
from raysweep.data.decode import read_frames
from raysweep.data.demo import make_demo_videos
from raysweep.data.discover import discover
from raysweep.data.fit import fit_square
from raysweep.data.reader import ClipReader
from raysweep.data.store import prepare, read_shards

CONFIG = DataConfig(resolution=128, clip_length=8, batch_size=8)
SECONDS = 5.0
"""Of each steady measurement."""


class Seeking(Dataset[torch.Tensor]):
    """One random clip per item, found by seeking."""

    def __init__(self, videos: list[Path]) -> None:
        self.videos = videos

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, item: int) -> torch.Tensor:
        choose = random.Random(item)
        capture = cv2.VideoCapture(str(choose.choice(self.videos)))
        last = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) - CONFIG.clip_length
        capture.set(cv2.CAP_PROP_POS_FRAMES, choose.randint(0, max(0, last)))
        frames = [capture.read()[1] for _ in range(CONFIG.clip_length)]
        fitted = [fit_square(cv2.cvtColor(f, cv2.COLOR_BGR2RGB), CONFIG) for f in frames]
        return torch.from_numpy(np.stack(fitted))


def frames_per_second(batches: Iterator[torch.Tensor]) -> float:
    frames, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        batch = next(batches)
        frames += batch.shape[0] * batch.shape[1]
    return frames / (time.perf_counter() - start)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(folder: Path) -> dict[str, float]:
    make_demo_videos(folder / "videos", train=8, valid=2, frames=240, size=320)
    videos = [
        file.path for source in discover(folder / "videos", CONFIG.split) for file in source.files
    ]
    torch.set_num_threads(1)
    preparing = seconds(lambda: prepare(folder / "videos", folder / "store", CONFIG))
    manifest = prepare(folder / "videos", folder / "store", CONFIG)

    def store() -> Batches:
        tables = read_shards(folder / "store", manifest)
        return Batches(ClipReader(tables, manifest.settings.resolution), manifest, CONFIG, seed=0)

    ours = frames_per_second(store().train(0))
    peer = frames_per_second(iter(DataLoader(Seeking(videos), batch_size=CONFIG.batch_size)))
    clips = len(store().train_clips) // CONFIG.batch_size
    reading = seconds(lambda: list(islice(store().train(0), clips)))
    decoding = seconds(lambda: [fit_square(f, CONFIG) for v in videos for f in read_frames(v)])
    return {
        "store": ours,
        "seeking": peer,
        "ratio": ours / peer,
        "control_store": preparing + reading,
        "control_decode": decoding,
        "control_ratio": decoding / (preparing + reading),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder))
    print(f"{'random 8-frame clips at 128 px':<44}{'frames/s':>12}")
    print(f"{'  prepared store':<44}{result['store']:>12,.0f}")
    print(f"{'  OpenCV seeking in a torch DataLoader':<44}{result['seeking']:>12,.0f}")
    print(f"{'  ratio':<44}{result['ratio']:>12.1f}")
    print(f"{'control: every frame once, in file order':<44}{'seconds':>12}")
    print(f"{'  prepare the store, then read it':<44}{result['control_store']:>12.2f}")
    print(f"{'  decode alone':<44}{result['control_decode']:>12.2f}")
    print(f"{'  ratio (below 1: the store should not win)':<44}{result['control_ratio']:>12.2f}")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
