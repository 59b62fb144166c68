"""What the search itself costs after many finished trials: ours, against plain Optuna on a JournalStorage.

Ours is the conductor with its event log, which is synced to the disk at every decision, and its journal; a result
is one validation and the end of its trial. The peer is Optuna's ask, report and tell with Optuna's journal file,
synced at every line, as the study's own storage. Control: proposals by TPE, whose model is the same in both and takes
most of the time at 10,000: about equal. One sync of the disk is part of every result, and is measured beside it.
"""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from raysweep.config import SweepConfig
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.journal import KeptJournal
from raysweep.experiment.layout import Experiment
from raysweep.schema import parse
from raysweep.search.objective import Goal, Objective

COUNTS, PROBES = (100, 10_000), 15
STEPS = (1000, 2000)
"""Where a trial of the past reported."""
GOAL = Objective((Goal("val/psnr", "max"),))


def space(trial: optuna.Trial) -> None:
    """Eight parameters, two of them conditional."""
    trial.suggest_float("loss.disc_weight", 0.1, 1.0)
    trial.suggest_float("loss.perceptual_weight", 0.1, 2.0, log=True)
    trial.suggest_float("training.learning_rate", 1e-5, 1e-3, log=True)
    trial.suggest_int("loss.disc_start", 0, 40_000)
    trial.suggest_int("loss.disc_every", 1, 4)
    trial.suggest_categorical("model.quantizer.embedding_dim", [64, 128, 256])
    if trial.suggest_categorical("model.quantizer.kind", ["ema", "gradient"]) == "ema":
        trial.suggest_float("model.quantizer.decay", 0.9, 0.999)


class Cost(NamedTuple):
    """Medians in milliseconds."""

    sampler: str
    trials: int
    who: str
    propose: float
    record: float
    resume: float
    """All of it, in seconds."""
    megabytes: float
    """That resuming added to the process."""
    sync: float
    """One line appended to a file and synced, measured right after."""


def milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1e3


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def ours(folder: Path, sampler: str, trials: int) -> Cost:
    experiment = Experiment(folder)
    sweep = _sweep(sampler, trials)
    _write_past(experiment, trials)
    memory, start = megabytes(), time.perf_counter()
    with EventLog(experiment.events) as log:
        mind = Conductor(sweep, space, GOAL, log, read(experiment.events))
        with closing(KeptJournal(experiment, mind, {}, sys.exit)) as journal:
            seconds, memory = time.perf_counter() - start, megabytes() - memory
            mind.listener = journal
            propose, record = zip(*(_probe(mind) for _ in range(PROBES)), strict=True)
    medians = statistics.median(propose), statistics.median(record)
    return Cost(sampler, trials, "ours", *medians, seconds, memory, sync(folder))


def _sweep(sampler: str, trials: int) -> SweepConfig:
    asked = {"name": "x", "space": "x", "budget": {"trials": trials + PROBES}}
    return parse(
        SweepConfig, {**asked, "sampler": {"kind": sampler}, "scheduler": {"kind": "none"}}
    )


def _write_past(experiment: Experiment, trials: int) -> None:
    """The events of a search at random, as a driver writes them, but not synced one by one."""
    experiment.events.parent.mkdir(parents=True)
    study = optuna.create_study(sampler=RandomSampler(0))
    with experiment.events.open("w") as file:
        for number in range(trials):
            asked = study.ask()
            space(asked)
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
            for event in _events(f"{number:04d}", asked.params):
                file.write(json.dumps({"time": 0.0, **event}) + "\n")


def _events(trial: str, params: dict[str, float]) -> list[dict[str, object]]:
    known = {"trial": trial, "origin": "space", "params": params, "settings": params}
    reports = [
        {
            "kind": "report",
            "trial": trial,
            "step": step,
            "metrics": {"val/psnr": _psnr(params, step)},
        }
        for step in STEPS
    ]
    return [
        {"kind": "proposed", "last_step": 2000, "gan_from": 0, **known},
        {"kind": "started", "trial": trial},
        *reports,
        {"kind": "ended", "trial": trial, "state": "finished", "reason": ""},
    ]


def _psnr(params: dict[str, float], step: int) -> float:
    return 20 + params["loss.disc_weight"] * step / 1000


def _probe(mind: Conductor) -> tuple[float, float]:
    """Milliseconds to propose a trial, and to take in a validation and the end."""
    proposals = []
    propose = milliseconds(lambda: proposals.append(mind.propose()))
    trial = proposals[0].trial
    mind.start(trial)
    metrics = {"val/psnr": _psnr(mind.trials[trial].params, 1000)}

    def record() -> None:
        mind.report(trial, 1000, metrics)
        mind.end(trial)

    return propose, milliseconds(record)


PEERS: dict[str, Callable[[], BaseSampler]] = {
    "random": lambda: RandomSampler(0),
    "tpe": lambda: TPESampler(seed=0, multivariate=True, group=True, n_startup_trials=8),
}


def peer(folder: Path, sampler: str, trials: int) -> Cost:
    folder.mkdir()
    file = str(folder / "optuna.journal")
    storage = JournalStorage(_Unsynced(file))
    source = optuna.create_study(storage=storage, study_name="x", direction="maximize")
    drawn = optuna.create_study(sampler=RandomSampler(0))
    for _ in range(trials):
        asked = drawn.ask()
        space(asked)
        curve = {step: _psnr(asked.params, step) for step in STEPS}
        drawn.tell(asked, state=optuna.trial.TrialState.FAIL)
        done = optuna.trial.create_trial(
            params=asked.params,
            distributions=asked.distributions,
            value=curve[STEPS[-1]],
            intermediate_values=curve,
        )
        source.add_trial(done)
    memory, start = megabytes(), time.perf_counter()
    again = JournalStorage(JournalFileBackend(file))
    study = optuna.load_study(study_name="x", storage=again, sampler=PEERS[sampler]())
    seconds, memory = time.perf_counter() - start, megabytes() - memory
    propose, record = zip(*(_probe_peer(study) for _ in range(PROBES)), strict=True)
    medians = statistics.median(propose), statistics.median(record)
    return Cost(sampler, trials, "optuna", *medians, seconds, memory, sync(folder))


class _Unsynced(JournalFileBackend):
    """For making a past in time."""

    def append_logs(self, logs: list[dict[str, object]]) -> None:
        with Path(self._file_path).open("a") as file:
            file.writelines(json.dumps(log) + "\n" for log in logs)


def _probe_peer(study: optuna.Study) -> tuple[float, float]:
    trials: list[optuna.Trial] = []

    def propose() -> None:
        trials.append(study.ask())
        space(trials[0])

    def record() -> None:
        value = _psnr(trials[0].params, 1000)
        trials[0].report(value, 1000)
        study.tell(trials[0], value)

    return milliseconds(propose), milliseconds(record)


def sync(folder: Path) -> float:
    """One line appended and synced, in milliseconds."""
    with (folder / "line").open("ab") as file:

        def append() -> None:
            file.write(b"x" * 200 + b"\n")
            file.flush()
            os.fsync(file.fileno())

        return statistics.median(milliseconds(append) for _ in range(50))


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        heads = ("propose", "record", "resume", "memory", "one sync")
        print(f"  {'':<22}" + "".join(f"{head:>12}" for head in heads))
        for sampler in PEERS:
            for trials in COUNTS:
                mine = ours(root / f"ours-{sampler}-{trials}", sampler, trials)
                other = peer(root / f"peer-{sampler}-{trials}", sampler, trials)
                for cost in (mine, other):
                    _print(cost)
                ratios = mine.propose / other.propose, mine.record / other.record
                print(f"  {'ratio':<22}{ratios[0]:>12.2f}{ratios[1]:>12.2f}")
                results += [mine._asdict(), other._asdict()]
    print("control: TPE with 10,000 trials proposes about as fast in both")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(results, indent=2))


def _print(cost: Cost) -> None:
    name = f"{cost.sampler} {cost.trials} {cost.who}"
    print(
        f"  {name:<22}{cost.propose:>9.1f} ms{cost.record:>9.2f} ms"
        f"{cost.resume:>10.2f} s{cost.megabytes:>9.0f} MB{cost.sync:>9.2f} ms"
    )


if __name__ == "__main__":
    main()
