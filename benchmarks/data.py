"""The data engine: random clips from a prepared store against the usual readers, and what preparing costs.

Every reader gives the same clips in the same order as uint8 batches, in a process of its own, with the files
in the page cache. The peers: OpenCV seeking in a torch DataLoader, as the system before this one read, with
no loader workers and with two, of which the faster counts (its own setting was six, for a machine of more
cores); torchcodec and PyAV where installed (`pip install raysweep[bench]`; torchcodec needs FFmpeg's
libraries too); the same frames as a memory-mapped array, in a torch DataLoader.
Control: every frame once, in file order, where preparing a store is work that never pays back; there plain
decoding on all cores should win.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypeVar

from loading import footage, preparing, reading
from loading.footage import Film
from loading.material import Material, write_array
from loading.preparing import Memory
from loading.reading import ARRAYS, DECODERS, OURS, READERS, SEEKING, Reading

PACKAGES = ("ray", "torch", "numpy", "opencv-python-headless", "torchcodec", "av")
PLAIN, ONE_CORE = "plain OpenCV in order, one core", "our decoder alone, one core"
ALL_CORES, PREPARING = "our decoder alone, all cores", "ours"


class Size(NamedTuple):
    """How much is measured."""

    seconds: float
    """Of each steady reading, after the first batch."""
    stepping_seconds: float
    """Of each reading with a training step after every batch."""
    films: int
    """Different ones, where they are made here."""
    film_frames: int
    frames: int
    """To prepare, and to read."""
    memory_frames: int
    """To prepare once, and eight times as many, while memory is watched."""


FULL = Size(60, 15, films=3, film_frames=480, frames=14_400, memory_frames=2_880)
QUICK = Size(2, 2, films=2, film_frames=240, frames=1_440, memory_frames=480)


@dataclass(frozen=True)
class Results:
    cores: int
    footage: str
    frames: int
    versions: dict[str, str]
    preparing_seconds: dict[str, float]
    readings: dict[str, Reading]
    memory: dict[str, Memory]


class Bar(NamedTuple):
    name: str
    value: float
    asked: str
    holds: bool | None = None
    """None: told for comparison."""


def at_least(name: str, value: float, bound: float) -> Bar:
    return Bar(name, value, f"at least {bound:g}", value >= bound)


def below(name: str, value: float, bound: float) -> Bar:
    return Bar(name, value, f"below {bound:g}", value < bound)


def bars(results: Results) -> list[Bar]:
    """What the data engine must show, and the control."""
    ours, loaded = results.readings[OURS.name], ARRAYS[1].name
    speeds = {name: of.frames_per_second for name, of in results.readings.items()}
    seeking = max((reader.name for reader in SEEKING), key=speeds.__getitem__)
    read_once = ours.first_batch_seconds + results.frames / ours.frames_per_second
    seconds, memory = results.preparing_seconds, results.memory
    of_plain, of_ours = (
        seconds[alone] / seconds[PREPARING] / results.cores for alone in (PLAIN, ONE_CORE)
    )
    above = {times: used.peak - used.idle for times, used in memory.items()}
    from_scratch = seconds[PREPARING] + read_once
    return [
        at_least(f"ours / {seeking}", ours.frames_per_second / speeds[seeking], 150),
        at_least(f"ours / {loaded}", ours.frames_per_second / speeds[loaded], 1),
        below("share of a 100 ms step spent waiting for ours", ours.waiting_share, 0.02),
        at_least("preparing / plain OpenCV in order, per core", of_plain, 0.8),
        Bar("preparing / our decoder alone, per core", of_ours, "for comparison"),
        below("peak memory of preparing, 8x / 1x the footage", memory["8x"].peak / memory["1x"].peak, 1.2),
        Bar("the same, above what Ray takes at rest", above["8x"] / above["1x"], "for comparison"),
        below("the same clips: levels of 255 apart", levels_apart(results.readings), 1),
        below("control: decoding / preparing and reading once", seconds[ALL_CORES] / from_scratch, 1),
    ]  # fmt: skip


def levels_apart(readings: dict[str, Reading]) -> float:
    """At most, between ours and another reader's mean of a clip; each shrinks frames in its own way."""
    ours = readings[OURS.name].clip_levels
    others = [
        readings[r.name].clip_levels for r in (*SEEKING, *DECODERS, *ARRAYS) if r.name in readings
    ]
    return max(
        abs(level - own) for levels in others for level, own in zip(levels, ours, strict=True)
    )


Result = TypeVar("Result")


def apart(work: Callable[..., Result], *arguments: object) -> Result:
    """In a process of its own, which nothing before it has slowed or warmed."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def row(name: str, *cells: str) -> None:
    print(f"{name:<52}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def measure_preparing(material: Material, frames: int) -> dict[str, float]:
    cores, videos = len(preparing.cores()), material.footage
    row(f"preparing {frames:,} frames, after Ray's start", "seconds", "frames/s/core")
    seconds = {}
    for name, used, measured in (
        (PLAIN, 1, lambda: preparing.plainly(videos)),
        (ONE_CORE, 1, lambda: preparing.decoding(videos, 1)),
        (ALL_CORES, cores, lambda: preparing.decoding(videos, cores)),
        (PREPARING, cores, lambda: apart(preparing.ours, videos, material.store)),
    ):
        taken = seconds[name] = measured()
        row(f"  {name}", f"{taken:.1f}", f"{frames / taken / used:.0f}")
    return seconds


def measure_reading(material: Material, size: Size) -> dict[str, Reading]:
    """Of the readers that are installed."""
    row("random 8-frame clips at 128 px", "frames/s", "first batch, s", "waiting share", "step, ms")
    readings = {}
    for reader in READERS:
        if why := reading.missing(reader):
            row(f"  {reader.name}", f"absent: {why}")
            continue
        arguments = (reader, material, size.seconds, size.stepping_seconds)
        readings[reader.name] = apart(reading.measure, *arguments)
        row(f"  {reader.name}", *cells(readings[reader.name]))
    return readings


def cells(of: Reading) -> list[str]:
    return [
        f"{of.frames_per_second:,.0f}",
        f"{of.first_batch_seconds:.2f}",
        f"{of.waiting_share:.2%}",
        f"{of.step_seconds * 1e3:.0f}",
    ]


def measure_memory(films: list[Film], frames: int, folder: Path) -> dict[str, Memory]:
    row("memory of preparing, GiB", "peak", "before it")
    memory = {}
    for times in (1, 8):
        videos, store = folder / f"videos-{times}", folder / f"store-{times}"
        held = footage.repeated(films, times * frames, videos)
        used = memory[f"{times}x"] = apart(preparing.memory, videos, store)
        row(f"  {held:,} frames", *(f"{number / 2**30:.2f}" for number in (used.peak, used.idle)))
    return memory


def measure(videos: Path | None, size: Size, folder: Path) -> Results:
    """Prints each figure as it comes."""
    if videos is None:
        films = footage.made(folder / "films", size.films, size.film_frames)
    else:
        films = footage.found(videos)
    material = Material(folder / "videos", folder / "store", folder / "frames.npy")
    frames = footage.repeated(films, size.frames, material.footage)
    origin = "made here" if videos is None else f"of {videos}"
    described = f"{frames:,} frames, {footage.described(films)}, {origin}"
    cores, packages = len(preparing.cores()), versions()
    print(f"{cores} cores; {described}; {', '.join(map(' '.join, packages.items()))}")
    preparing_seconds = measure_preparing(material, frames)
    write_array(material)
    readings = measure_reading(material, size)
    memory = measure_memory(films, size.memory_frames, folder)
    return Results(cores, described, frames, packages, preparing_seconds, readings, memory)


def versions() -> dict[str, str]:
    installed = {found.name: found.version for found in distributions()}
    return {name: installed.get(name, "absent") for name in PACKAGES}


def print_bars(of: list[Bar]) -> None:
    row("what must hold", "figure", "asked")
    for bar in of:
        row(
            f"  {bar.name}",
            f"{bar.value:.4g}",
            bar.asked,
            {True: "holds", False: "MISSED", None: ""}[bar.holds],
        )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", nargs="?", type=Path, help="file to write the figures to")
    parser.add_argument("--seconds", type=float, help="of each steady reading; 60, quick 2")
    parser.add_argument("--quick", action="store_true", help="a trial run of short times")
    parser.add_argument("--footage", type=Path, help="folder of videos, instead of made ones")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    size = QUICK if arguments.quick else FULL
    if arguments.seconds is not None:
        size = size._replace(seconds=arguments.seconds)
    with tempfile.TemporaryDirectory() as folder:
        results = measure(arguments.footage, size, Path(folder))
    shown = bars(results)
    print_bars(shown)
    if arguments.json:
        figures = {**asdict(results), "bars": [bar._asdict() for bar in shown]}
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
