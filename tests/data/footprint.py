"""What reading a store costs a machine in memory, beside a second process that reads it too."""

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from raysweep.data import DataConfig
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.reader import Reader
from raysweep.data.storing.manifest import Manifest, SourceRecord, save_manifest
from raysweep.data.storing.shards import write_shard

CONFIG = DataConfig(resolution=128, clip_length=8, batch_size=8, split="none")
SOURCES, FRAMES = 40, 104
STORE_BYTES = SOURCES * FRAMES * 128 * 128 * 3


def make_store(folder: Path) -> Path:
    """204 MB of frames."""
    records = []
    for number in range(SOURCES):
        frames_HWC = (np.full((128, 128, 3), number + n, np.uint8) for n in range(FRAMES))
        shard, name = f"{number}.arrow", f"{number:02d}.mp4"
        write_shard(folder / "frames" / shard, name, frames_HWC, CONFIG.preprocessing)
        records.append(
            SourceRecord(name=name, split=None, source_bytes=1, shard=shard, frames=FRAMES)
        )
    manifest = Manifest(source="x", settings=CONFIG.preprocessing, records=tuple(records))
    save_manifest(manifest, folder / "manifest.json")
    return folder


def read_everything(reader: Reader, manifest: Manifest) -> int:
    """An epoch; returns the frames that were read."""
    batches = Batches(reader, manifest, CONFIG, seed=0)
    epoch = islice(batches.train(0), len(batches.train_clips) // CONFIG.batch_size)
    return sum(len(clips) * clips.shape[1] for clips in epoch)


class Cost(NamedTuple):
    """What reading took, in bytes."""

    seen: int
    """By which the process grew, with what it shares."""
    added: int
    """By which the machine's memory grew: what is the process's own, and what nobody had mapped before."""


def cost(pid: int, place: str, read: Callable[[], None]) -> Cost:
    """Of `read` in process `pid`, whose frames lie in files whose path holds `place`."""
    own, seen, shared = _resident(pid, "RssAnon"), _resident(pid, "Rss"), _mapped(place)
    read()
    grown = _resident(pid, "RssAnon") - own
    return Cost(_resident(pid, "Rss") - seen, grown + _mapped(place) - shared)


def _resident(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))


def _mapped(place: str) -> int:
    """Memory mapped from there, counted once for all processes."""
    total = 0
    for smaps in Path("/proc").glob("[0-9]*/smaps"):
        with suppress(OSError):  # another user's, or gone by now
            total += _proportional(smaps.read_text(), place)
    return total


def _proportional(smaps: str, place: str) -> int:
    """The kernel's PSS: of a page that n processes map, the n-th part."""
    counted, total = False, 0
    for line in smaps.splitlines():
        first = line.split(maxsplit=1)[0]
        if not first.endswith(":"):
            counted = place in line
        elif counted and first == "Pss:":
            total += int(line.split()[1]) * 1024
    return total


def require_shared(first: Cost, second: Cost) -> None:
    """Both saw all frames, and the second added little to the first."""
    ratio = (first.seen + second.added) / first.seen
    print(  # noqa: T201  (shown by `pytest -s`)
        f"{first.seen / 1e6:.0f} MB for one, {second.added / 1e6:.1f} MB more for two: {ratio:.3f} times"
    )
    assert min(first.seen, second.seen) > 0.9 * STORE_BYTES
    assert ratio < 1.3
