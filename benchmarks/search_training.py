"""Which search finds the better tokenizer for the same training: ours, or Ray Tune's OptunaSearch with ASHAScheduler?

Real training of `search_spaces/demo.py` on the demo's videos: the same space, footage, runs and seeds, one CPU core a
trial, and as many optimizer steps in all; then whatever runs is ended. The stock pair is used as its documentation has
it, with the rungs of the space and with its own defaults else. The best is given of the trials that came to their end,
and of all validations. LPIPS is of random weights, since a benchmark needs no network.
Few trials and few seeds tell little: look at the spread over seeds before believing a lead.
"""

import argparse
import json
import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from raysweep.assemble import assemble
from raysweep.cluster import resources
from raysweep.cluster.footage import Footage, in_files
from raysweep.cluster.room import Room
from raysweep.cluster.runtime import connected
from raysweep.cluster.sweep import execute
from raysweep.commands.footage import prepared
from raysweep.commands.plan import Request, at_once, compose
from raysweep.commands.spaces import load_space
from raysweep.commands.standing import standing
from raysweep.config import SweepConfig
from raysweep.data.reading.batches import Batches
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.events import EventLog
from raysweep.experiment.layout import Experiment, create
from raysweep.tracking import Trackers
from raysweep.training.loop import Report, fit
from search_spaces import demo
from trainables import TRAINABLES

METRIC = "val/psnr"
MANY_TRIALS = 1000
"""The steps are what ends a search."""


class Size(NamedTuple):
    steps: int
    """Of one trial."""
    validate_every: int
    grace: int
    whole_trials: int
    """The budget, as so many trials' steps."""
    seeds: int

    @property
    def budget_steps(self) -> int:
        return self.whole_trials * self.steps


FULL = Size(steps=240, validate_every=40, grace=80, whole_trials=12, seeds=3)
QUICK = Size(steps=16, validate_every=4, grace=4, whole_trials=2, seeds=1)
Curves = dict[str, dict[int, float]]
"""Trial -> step -> val/psnr."""


class Outcome(NamedTuple):
    trials: int
    finished: int
    steps: int
    best_finished: float
    """dB, at the last step of a trial that came to its end."""
    best: float
    """dB, of all validations."""
    seconds: float


def spent(curves: Curves) -> int:
    return sum(max(curve, default=0) for curve in curves.values())


def outcome(curves: Curves, size: Size, seconds: float) -> Outcome:
    ends = [curve[size.steps] for curve in curves.values() if size.steps in curve]
    every = [value for curve in curves.values() for value in curve.values()]
    return Outcome(
        len(curves),
        len(ends),
        spent(curves),
        max(ends, default=math.nan),
        max(every, default=math.nan),
        seconds,
    )


# -- ours -------------------------------------------------------------------------------------------------------------


class Budgeted(Conductor):
    """Ends everything once so many steps are spent."""

    budget_steps = 0

    @property
    def is_spent(self) -> bool:
        return sum(record.step for record in self.trials.values()) >= self.budget_steps

    @property
    def is_over(self) -> bool:
        return self.is_spent or super().is_over

    def propose(self) -> Proposal | None:
        return None if self.is_spent else super().propose()

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        return super().report(trial, step, metrics) or self.is_spent


def ours(sweep: SweepConfig, footage: Footage, size: Size, folder: Path) -> Curves:
    experiment, space = Experiment(folder / sweep.name), load_space("demo")
    create(experiment, sweep.model_dump_json(), space.source)
    now = standing(experiment)
    with EventLog(experiment.events) as log:
        conductor = Budgeted(sweep, space.space, now.objective, log)
        conductor.budget_steps = size.budget_steps
        execute(conductor, experiment, footage, TRAINABLES, room=Room(sweep.run().cluster))
    return {
        record.trial: {step: metrics[METRIC] for step, metrics in record.reports.items()}
        for record in conductor.trials.values()
    }


# -- the stock pair ---------------------------------------------------------------------------------------------------


class Spent(tune.Stopper):
    """Ends everything once so many steps are spent; keeps the curves."""

    def __init__(self, budget_steps: int) -> None:
        self.budget_steps, self.curves = budget_steps, Curves()

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        self.curves.setdefault(trial_id, {})[result["step"]] = result[METRIC]
        return False

    def stop_all(self) -> bool:
        return spent(self.curves) >= self.budget_steps


def train(suggested: dict[str, Any], sweep: SweepConfig, footage: Footage) -> None:
    """A function trainable, as anybody would write it around our loop."""
    run = sweep.run(suggested)
    torch.set_num_threads(run.cluster.cpus_per_worker)
    batches = Batches(footage.reader(), footage.manifest, run.data, seed=run.seed)

    def report(report: Report) -> None:
        tune.report({"step": report.step, **report.metrics})

    fit(assemble(run, torch.device("cpu")), batches, report, Trackers([]))


def stock(sweep: SweepConfig, footage: Footage, size: Size, folder: Path) -> Curves:
    stopper = Spent(size.budget_steps)
    asha = ASHAScheduler(
        time_attr="step",
        max_t=size.steps,
        grace_period=size.grace,
        reduction_factor=demo.SWEEP["scheduler"]["reduction_factor"],
    )
    tune.Tuner(
        tune.with_resources(tune.with_parameters(train, sweep=sweep, footage=footage), {"CPU": 1}),
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            search_alg=OptunaSearch(space=demo.space, metric=METRIC, mode="max", seed=sweep.seed),
            scheduler=asha,
            num_samples=MANY_TRIALS,
            max_concurrent_trials=at_once(sweep, resources.cluster_capacity()),
        ),
        run_config=tune.RunConfig(
            name=f"stock-{sweep.seed}", storage_path=str(folder), stop=stopper, verbose=0
        ),
    ).fit()
    return stopper.curves


# -- both -------------------------------------------------------------------------------------------------------------

SEARCHES = {"ours": ours, "OptunaSearch + ASHAScheduler": stock}


def sweep_of(seed: int, size: Size, folder: Path) -> SweepConfig:
    settings = {
        "seed": seed,
        "training.steps": size.steps,
        "training.validate_every": size.validate_every,
        "scheduler.grace": size.grace,
        "loss.perceptual_init": "random",
    }
    words = [f"{path}={value}" for path, value in settings.items() if path != "seed"]
    request = Request(f"ours-{seed}", str(folder), assignments=words, trials=MANY_TRIALS)
    composed = compose(request, load_space("demo"), "demo")
    return composed.model_copy(update={"seed": seed})


def measure(size: Size, folder: Path) -> dict[str, list[Outcome]]:
    """Search -> an outcome a seed; prints each as it comes."""
    found: dict[str, list[Outcome]] = {name: [] for name in SEARCHES}
    row("", "seed", "trials", "finished", "steps", "best finished, dB", "best, dB", "seconds")
    with connected():
        store = prepared(sweep_of(0, size, folder).run().data, folder)
        for seed in range(size.seeds):
            for name, search in SEARCHES.items():
                start = time.perf_counter()
                curves = search(sweep_of(seed, size, folder), in_files(store), size, folder)
                found[name].append(outcome(curves, size, time.perf_counter() - start))
                row(name, seed, *cells(found[name][-1]))
    return found


def cells(of: Outcome) -> list[object]:
    figures = (f"{of.best_finished:.2f}", f"{of.best:.2f}", f"{of.seconds:.0f}")
    return [of.trials, of.finished, of.steps, *figures]


def row(name: str, *cells: object) -> None:
    print(f"{name:<30}" + "".join(f"{cell!s:>19}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", nargs="?", type=Path, help="file to write the figures to")
    parser.add_argument("--quick", action="store_true", help="a trial run of short times")
    parser.add_argument("--seeds", type=int, help=f"searches of each kind; {FULL.seeds}")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    size = size._replace(seeds=arguments.seeds or size.seeds)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(size, Path(folder))
    if arguments.json:
        outcomes = {name: [each._asdict() for each in of] for name, of in found.items()}
        figures = {"size": size._asdict(), "outcomes": outcomes}
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
