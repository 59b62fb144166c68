"""Starting, going on with, and adding to an experiment."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from raysweep.cluster import resources
from raysweep.cluster.footage import Footage, in_files, placed
from raysweep.cluster.growth import full_capacity
from raysweep.cluster.metrics import SweepMetrics
from raysweep.cluster.room import Room
from raysweep.cluster.runtime import connected
from raysweep.cluster.sharing import sharing
from raysweep.cluster.sweep import execute
from raysweep.commands.confirmation import NO_TEST_SPLIT
from raysweep.commands.console import say, title
from raysweep.commands.control import Extension
from raysweep.commands.dry_run import print_start
from raysweep.commands.footage import counted, prepared, settled
from raysweep.commands.narrator import Narrator
from raysweep.commands.notifier import Listener, address, notifying
from raysweep.commands.plan import Plan, check_again, check_further
from raysweep.commands.record import held_to_record, write_validation_facts
from raysweep.commands.spaces import LoadedSpace, load_space
from raysweep.commands.standing import Added, Standing, as_asked, further, standing
from raysweep.commands.status import is_over, status
from raysweep.commands.warm_start import known_to
from raysweep.config import RunConfig, SweepConfig, in_steps
from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.storing.manifest import Manifest
from raysweep.errors import ConfigError, DataError, TrainingFailed
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.driving import driving
from raysweep.experiment.earlier import Search
from raysweep.experiment.events import Event, EventLog, read
from raysweep.experiment.journal import KeptJournal
from raysweep.experiment.layout import Experiment, create, remove
from raysweep.experiment.mirror import clear, is_driven, push
from raysweep.experiment.provenance import provenance
from raysweep.experiment.records import TrialRecord
from raysweep.experiment.requests import waiting
from raysweep.experiment.results import write_csv
from raysweep.search.study import Space
from trainables import TRAINABLES


def start(plan: Plan, space: LoadedSpace | None) -> None:
    """Runs a new experiment to its end; one trial of the base settings where there is no space."""
    sweep = plan.sweep.model_copy(update={"made_with": provenance()})
    settings = yaml.safe_dump(sweep.model_dump(mode="json"), sort_keys=False)
    if space is None:
        create(plan.experiment, settings, None)
    else:
        create(plan.experiment, settings, space.source, space.suffix)
    push(plan.experiment, *_asked(plan.experiment))
    print_start(plan.sweep.run())
    try:
        _run(standing(plan.experiment))
    except (ConfigError, DataError):
        if not standing(plan.experiment).trials:  # refused before it began: the name stays free
            remove(plan.experiment)
            clear(plan.experiment, plan.experiment.folder)
        raise


def resume(
    experiment: Experiment, more: Extension | None = None, *, retries_failed: bool = False
) -> None:
    """Goes on from the event log: unfinished trials from their checkpoints, failed ones where asked, then new ones.

    A search whose budget is spent needs `more`, and says so.
    """
    now = standing(experiment)
    check_again(now.sweep.run(), now)
    is_asked = more is not None or retries_failed
    if not is_asked and is_over(now) and not is_driven(experiment):
        return _conclude(now)
    _run(now, more=more, retries_failed=retries_failed)
    return None


def retrain(experiment: Experiment, trial: str | None, changes: Mapping[str, Any]) -> str:
    """Adds and runs a trial with the settings of `trial` (None: the best) and `changes`; returns its id."""
    now = standing(experiment)
    added = further(now, trial or "best", changes)
    print_start(check_further(now, added))
    return _run(now, added)


def _run(
    now: Standing,
    added: Added | None = None,
    more: Extension | None = None,
    retries_failed: bool = False,
) -> str:
    """Executes what is left to do, with the trial `added` put in line; returns that trial's id."""
    experiment = now.experiment
    sweep = now.sweep if more is None else now.sweep.extended(*more)
    line = [*_line(now), *([added] if added else [])]
    runs = [sweep.run_by_hand(new.settings) for new in line] or [sweep.run()]
    run, name, trial = runs[-1], experiment.folder.name, ""
    url = address(sweep.notify, os.environ)
    with driving(experiment, is_to_run=True) as log, _closing(log, experiment), connected():
        title(f"{name}: preparing footage")
        footage = _prepare(now, run)
        room = _room(sweep, experiment)
        for asked in runs:
            room.require(asked.cluster)
        log.append("opened", "")
        conductor = _conductor(now, footage.manifest, log, room)
        if more is not None:
            conductor.extend(*more)
        if retries_failed:
            say(f"failed trials go on: {', '.join(conductor.retry_failed())}")
        with (
            closing(KeptJournal(experiment, conductor, sweep.made_with, say)) as journal,
            notifying(url, name, conductor, say) as notify,
            closing(SweepMetrics(name, conductor)) as metrics,
        ):
            listeners = (Narrator(now.objective), journal, notify, metrics)
            conductor.listener = partial(_tell_all, listeners)
            for new in line:
                trial = conductor.add(new.settings, new.origin)
            number = room.at_once(map(conductor.cluster_of, conductor.known.open_trials()))
            title(f"{name}: {number} at a time, each {resources.describe(run.cluster)}")
            execute(conductor, experiment, footage, TRAINABLES, room=room)
    _conclude(standing(experiment))
    return trial


@contextmanager
def _closing(log: EventLog, experiment: Experiment) -> Iterator[None]:
    """A driver that ends by itself says so in the log: one that died cannot."""
    try:
        yield
    except KeyboardInterrupt:
        log.append("closed", "")
        raise TrainingFailed(
            f"interrupted; go on with `raysweep resume {experiment.as_word}`."
        ) from None
    log.append("closed", "")


def _tell_all(listeners: Sequence[Listener], event: Event, record: TrialRecord) -> None:
    for listener in listeners:
        listener(event, record)


def _room(sweep: SweepConfig, experiment: Experiment) -> Room:
    cluster = sweep.run().cluster
    others = sharing(f"{experiment.where} {os.getpid()}", cluster.priority)
    return Room(cluster, sweep.budget.max_concurrent, say, others)


def _conductor(now: Standing, manifest: Manifest, log: EventLog, room: Room) -> Conductor:
    """Goes on from the log; one that begins hears first what earlier experiments found."""
    experiment, space = now.experiment, _space(now.experiment)

    def resolve(run: RunConfig) -> RunConfig:
        room.require(run.cluster)
        return _resolve(now, manifest, run)

    conductor = Conductor(
        as_asked(experiment),
        space,
        now.objective,
        log,
        read(experiment.events),
        resolve=resolve,
        requests=partial(waiting, experiment.requests),
    )
    if space is not None and not now.trials:
        in_steps = partial(_in_steps, manifest)
        for known in known_to(now, Search(now.sweep, space, now.objective, in_steps)):
            conductor.know(known)
    return conductor


def _line(now: Standing) -> list[Added]:
    """Trials that the experiment was asked for by name and does not have yet."""
    if now.sweep.space is None and not now.sweep.tasks and not now.trials:
        return [Added({}, "by hand")]
    there = {record.origin for record in now.trials.values()}
    return [Added(tree, name) for name, tree in now.sweep.tasks.items() if name not in there]


def _resolve(now: Standing, manifest: Manifest, run: RunConfig) -> RunConfig:
    """The run in steps, also where its settings give its length in epochs.

    UserError where the experiment could not rank it among its trials.
    """
    held_to_record(run, manifest, now.experiment, now.objective.metrics)
    return _in_steps(manifest, run)


def _in_steps(manifest: Manifest, run: RunConfig) -> RunConfig:
    if run.training.epochs is None:
        return run
    return in_steps(run, len(index_clips(manifest, "train", run.data)))


def _prepare(now: Standing, run: RunConfig) -> Footage:
    experiment = now.experiment
    data, storage = settled(run.data, experiment), experiment.folder.parent
    _require_shared_footage(experiment, data)
    if data.reading == "direct":
        footage = counted(data, storage)
        _record_validation(now, run, footage)
        return footage
    store = prepared(data, storage)
    _record_validation(now, run, in_files(store))
    return placed(store, data.reading, tell=say)


def _require_shared_footage(experiment: Experiment, data: DataConfig) -> None:
    """What is prepared beside an experiment on an object store lies on this machine."""
    if experiment.remote is None or data.store is not None:
        return
    if resources.cluster_nodes() > 1 or full_capacity() is not None:
        raise DataError(
            f"prepared footage lies in a folder that all nodes share, and {experiment.where} is no folder. Set "
            "data.store to one, on a file system such as NFS."
        )


def _record_validation(now: Standing, run: RunConfig, footage: Footage) -> None:
    experiment, manifest = now.experiment, footage.manifest
    record = held_to_record(run, manifest, experiment, now.objective.metrics)
    reader, file = footage.reader(), experiment.validation_file
    facts = write_validation_facts(reader, manifest, run.data, record, file)
    push(experiment, file)
    if now.sweep.confirm is not None and not facts["test_clips"]:
        raise ConfigError(NO_TEST_SPLIT)
    say(_told(facts, "images" if run.data.images else "clips"))


def _told(facts: Mapping[str, float], unit: str) -> str:
    test, short, baseline = (
        facts.get(name) for name in ("test_clips", "too_short_sources", "mean_colour_psnr")
    )
    return (
        f"{facts['train_clips']} {unit} to train on, {facts['validation_clips']} to validate on"
        + (f", {test} kept for a final test" if test else "")
        + (f"; {short} videos are shorter than a clip" if short else "")
        + (f"; each frame's mean colour scores {baseline:.2f} dB PSNR" if baseline else "")
    )


def _conclude(now: Standing) -> None:
    """Shows what came of it; TrainingFailed where that is not what was asked."""
    rows = now.leaderboard
    write_csv(rows, now.experiment.leaderboard)
    push(now.experiment, *_derived(now.experiment))
    status(now.experiment)
    if not rows and now.budget.is_exhausted:
        raise TrainingFailed(
            "nothing was left to try: the earlier experiments of the warm start had all settings of the space. "
            "Widen it, or go on with the best of theirs."
        )
    unfinished = sum(record.is_open for record in now.trials.values())
    if now.is_suspended:
        return
    if unfinished or not rows:
        raise TrainingFailed(
            f"interrupted with {unfinished} unfinished; go on with `raysweep resume {now.experiment.as_word}`."
        )
    if all(row.best_step is None for row in rows):
        raise TrainingFailed(f"no trial reached a validation; the first said: {rows[0].reason}")


def _asked(experiment: Experiment) -> list[Path]:
    """What an experiment begins with; sweep.yaml, by which it is known, goes last."""
    return [*filter(None, [experiment.space_file]), experiment.sweep_file]


def _derived(experiment: Experiment) -> list[Path]:
    """What a driver makes anew, where it is there."""
    return [file for file in (experiment.leaderboard, experiment.journal) if file.exists()]


def _space(experiment: Experiment) -> Space | None:
    kept = experiment.space_file
    return None if kept is None else load_space(str(kept)).space
