"""Starting, going on with, and adding to an experiment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from raysweep.assemble import objective
from raysweep.cluster import resources
from raysweep.cluster.runtime import connected
from raysweep.cluster.sweep import execute
from raysweep.commands.console import say, title
from raysweep.commands.footage import prepared, write_validation_facts
from raysweep.commands.narrator import Narrator
from raysweep.commands.plan import Plan, at_once
from raysweep.commands.spaces import LoadedSpace, load_space
from raysweep.commands.status import show_leaderboard
from raysweep.config import SweepConfig, read_file
from raysweep.errors import ExperimentError, TrainingFailed
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from raysweep.experiment.results import best, leaderboard, write_csv
from raysweep.schema import parse
from trainables import TRAINABLES


def start(plan: Plan, space: LoadedSpace | None) -> None:
    """Runs a new experiment to its end; one trial of the base settings where there is no space."""
    plan.experiment.folder.mkdir(parents=True)
    settings = plan.sweep.model_dump(mode="json")
    plan.experiment.sweep_file.write_text(yaml.safe_dump(settings, sort_keys=False))
    if space is not None:
        plan.experiment.space_file.write_text(space.source)
    _run(plan.experiment, plan.sweep, added={} if space is None else None)


def resume(experiment: Experiment) -> None:
    """Goes on from the event log: unfinished trials from their checkpoints, then new ones."""
    _run(experiment, read_sweep(experiment))


def retrain(experiment: Experiment, trial: str | None, changes: Mapping[str, Any]) -> str:
    """Adds and runs a trial with the settings of `trial` (None: the best) and `changes`; returns its id."""
    sweep = read_sweep(experiment)
    records = replay(read(experiment.events))
    if trial is None:
        trial = best(
            leaderboard(records.values(), objective(sweep.objective, sweep.run().loss))
        ).trial
    if trial not in records:
        known = ", ".join(records)
        raise ExperimentError(
            f"there is no trial {trial!r} in {experiment.folder}. Known: {known}."
        )
    kept = {
        path: value for path, value in records[trial].settings.items() if path not in sweep.pinned
    }
    settings = {**kept, **changes}
    sweep.run_by_hand(settings)
    return _run(experiment, sweep, added=settings, origin=f"from {trial}")


def read_sweep(experiment: Experiment) -> SweepConfig:
    return parse(SweepConfig, read_file(experiment.sweep_file))


def _run(
    experiment: Experiment,
    sweep: SweepConfig,
    added: Mapping[str, Any] | None = None,
    origin: str = "by hand",
) -> str:
    """Executes what is left to do, with a trial of settings `added` put in line; returns that trial's id."""
    run, name = sweep.run_by_hand(added or {}), experiment.folder.name
    goal = objective(sweep.objective, run.loss)
    title(f"{name}: preparing footage")
    with connected():
        store = prepared(run.data, experiment.folder.parent)
        facts = write_validation_facts(store, run.data, experiment.validation_file)
        say(
            f"{facts['train_clips']} clips to train on, {facts['validation_clips']} to validate on; "
            f"each frame's mean colour scores {facts['mean_colour_psnr']:.2f} dB PSNR"
        )
        capacity = resources.cluster_capacity()
        count = min(at_once(sweep, capacity), resources.concurrency(run.cluster, capacity))
        title(f"{name}: {count} at a time, each {resources.describe(run.cluster)}")
        log = EventLog(experiment.events)
        conductor = Conductor(
            sweep,
            _space(experiment),
            goal,
            log,
            read(experiment.events),
            Narrator(goal),
        )
        trial = "" if added is None else conductor.add(added, origin)
        execute(conductor, experiment, store, TRAINABLES, at_once=count)
        log.close()
    rows = leaderboard(conductor.trials.values(), goal)
    write_csv(rows, experiment.leaderboard)
    show_leaderboard(experiment, goal)
    unfinished = [record.trial for record in conductor.trials.values() if record.is_open]
    if unfinished:
        raise TrainingFailed(
            f"interrupted with {len(unfinished)} unfinished; go on with `raysweep resume {experiment.folder}`."
        )
    if all(row.best_step is None for row in rows):
        raise TrainingFailed(f"no trial reached a validation; the first said: {rows[0].reason}")
    return trial


def _space(experiment: Experiment) -> Any:
    if not experiment.space_file.exists():
        return lambda trial: {}
    return load_space(str(experiment.space_file)).space


def validation_facts(experiment: Experiment) -> dict[str, float]:
    path: Path = experiment.validation_file
    return dict(json.loads(path.read_text())) if path.exists() else {}
