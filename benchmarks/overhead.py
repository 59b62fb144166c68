"""What a trial costs beside its training: from its start to its first step, and from one trial's end to the next one's.

Identical trials run one after another on one core each, through Ray Tune: ours in the trial's own process (`single`)
and through a TorchTrainer (`distributed`), beside the least that Ray asks for: a Tune function that imports torch and
torchvision and reports, and the same in a TorchTrainer inside Tune. A trial starts when Tune adds it, and its first
step is the first that asks for frames. Then the wall time of our sweeps over that of the same runs in a plain loop in
one process, for trials of about a minute, and what follows from the difference for trials of an hour.
Control: trials of a few steps, where a plain loop should be much faster than any sweep.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch
from starting.course import Cost, Course, cost, ratios, typical
from starting.minimal import minimal, minimal_train, minimal_tune
from starting.ours import ours

from raysweep.assemble import assemble
from raysweep.cluster import resources
from raysweep.cluster.footage import Footage, in_files
from raysweep.cluster.runtime import DRIVER_RESOURCE, connected
from raysweep.config import RunConfig, SweepConfig
from raysweep.data.demo import make_demo_videos
from raysweep.data.reading.batches import Batches
from raysweep.data.storing.store import prepare
from raysweep.schema import merge, parse
from raysweep.tracking import Trackers
from raysweep.training.loop import fit
from search_spaces import smoke

PACKAGES = ("ray", "torch", "torchvision")
HOUR_SECONDS = 3600.0
SINGLE, DISTRIBUTED = "single", "distributed"
TUNE, TRAIN = "minimal Tune", "minimal Train in Tune"


class Size(NamedTuple):
    rounds: int
    trials: int
    """Of each kind, in a round, and of the long kind."""
    seconds: float
    """Of training that a trial of the long kind takes in a plain loop."""
    short_steps: int
    """Of a trial of the short kind."""


FULL = Size(rounds=6, trials=2, seconds=60, short_steps=4)
QUICK = Size(rounds=1, trials=2, seconds=5, short_steps=2)


class Bar(NamedTuple):
    name: str
    value: float
    at_most: float | None
    """None: told for comparison."""


def plain_seconds(run: RunConfig, footage: Footage) -> float:
    """Of the same run, in this process."""
    start = time.perf_counter()
    torch.set_num_threads(run.cluster.cpus_per_worker)
    batches = Batches(footage.reader(), footage.manifest, run.data, seed=run.seed)
    fit(assemble(run, torch.device("cpu")), batches, lambda _: None, Trackers([]))
    return time.perf_counter() - start


def sweep_of(trainable: str, steps: int) -> SweepConfig:
    """Trials that validate at their end alone."""
    training = {"steps": steps, "validate_every": steps}
    own = {"training": training, "cluster": {"trainable": trainable}}
    base = merge(smoke.BASE, own)
    name = f"{trainable}-{steps}"
    return parse(SweepConfig, {"name": name, "base": base, "scheduler": {"kind": "none"}})


class Measured(NamedTuple):
    short: dict[str, list[Cost]]
    """By way, of each round."""
    long: dict[str, Cost]
    plain: dict[str, float]
    """Seconds of a plain loop for one long and for one short trial."""


def measure(size: Size, folder: Path) -> Measured:
    make_demo_videos(folder / "videos", train=4, valid=2, frames=16, size=48)
    prepare(folder / "videos", folder / "store", sweep_of(SINGLE, 1).run().data)
    footage = in_files(folder / "store")
    steps = {"short": size.short_steps, "long": steps_of(size.seconds, footage)}
    plain = {
        length: plain_seconds(sweep_of(SINGLE, n).run(), footage) for length, n in steps.items()
    }
    with connected():
        short = [
            {
                name: cost(way(size.trials, folder / str(nth)))
                for name, way in ways(footage, size).items()
            }
            for nth in range(size.rounds)
        ]
        long = {
            way: cost(ours(sweep_of(way, steps["long"]), footage, size.trials, folder))
            for way in (SINGLE, DISTRIBUTED)
        }
    return Measured({name: [costs[name] for costs in short] for name in short[0]}, long, plain)


def ways(footage: Footage, size: Size) -> dict[str, Callable[[int, Path], list[Course]]]:
    """To run so many short trials in a folder."""
    driver = {DRIVER_RESOURCE: resources.DRIVER_SHARE}
    return {
        TUNE: partial(minimal, minimal_tune, {"CPU": 1}),
        SINGLE: partial(ours, sweep_of(SINGLE, size.short_steps), footage),
        TRAIN: partial(minimal, minimal_train, driver),
        DISTRIBUTED: partial(ours, sweep_of(DISTRIBUTED, size.short_steps), footage),
    }


def steps_of(seconds: float, footage: Footage) -> int:
    """How many a plain loop takes in so much time."""
    few, many = (plain_seconds(sweep_of(SINGLE, steps).run(), footage) for steps in (5, 25))
    return max(1, round(seconds / (many - few) * 20))


def bars(of: Measured, trials: int) -> list[Bar]:
    found = []
    for way, peer, at_most in ((SINGLE, TUNE, 1.3), (DISTRIBUTED, TRAIN, 1.1)):
        ratio = ratios(of.short[way], of.short[peer])
        found += [
            Bar(f"{way} / {peer}, start to first step", ratio.start, at_most),
            Bar(f"{way} / {peer}, end to next first step", ratio.turn, at_most),
        ]
    long, short = of.plain["long"], of.plain["short"]
    for way in (SINGLE, DISTRIBUTED):
        beside = of.long[way].wall / trials - long
        control = typical(of.short[way]).wall / trials / short
        found += [
            Bar(f"{way} / plain loop, trials of {long:.0f} s", 1 + beside / long, None),
            Bar(f"{way} / plain loop, trials of an hour", 1 + beside / HOUR_SECONDS, 1.03),
            Bar(f"control: {way} / plain loop, trials of {short:.1f} s", control, None),
        ]
    return found


def told(name: str, of: Cost) -> None:
    row(name, f"{of.start:.1f}", f"{of.turn:.1f}", f"{of.wall:.1f}")


def row(name: str, *cells: str) -> None:
    print(f"{name:<56}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", nargs="?", type=Path, help="file to write the figures to")
    parser.add_argument("--quick", action="store_true", help="a trial run of short times")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    row("seconds", "to first step", "to the next", "wall")
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(size, Path(folder))
    for name, costs in measured.short.items():
        told(name, typical(costs))
    for name, whole in measured.long.items():
        told(f"{name}, long", whole)
    of = bars(measured, size.trials)
    row("ratio", "figure", "asked")
    for bar in of:
        asked = "" if bar.at_most is None else f"<= {bar.at_most}"
        holds = "" if bar.at_most is None else "holds" if bar.value <= bar.at_most else "MISSED"
        row(f"  {bar.name}", f"{bar.value:.3f}", asked, holds)
    if arguments.json:
        figures = {
            "versions": {name: version(name) for name in PACKAGES},
            "size": size._asdict(),
            "short": {
                name: [each._asdict() for each in costs] for name, costs in measured.short.items()
            },
            "long": {name: each._asdict() for name, each in measured.long.items()},
            "plain_seconds": measured.plain,
            "bars": [bar._asdict() for bar in of],
        }
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
