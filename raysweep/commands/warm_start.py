"""Warm start: results of earlier experiments that compare with those of a new one, and told of in a line each."""

from collections.abc import Iterator

from raysweep.commands.console import say
from raysweep.commands.footage import store_of
from raysweep.commands.record import read_record
from raysweep.commands.standing import Standing, standing
from raysweep.comparable import Fingerprint, compares, fingerprint
from raysweep.config import SweepConfig
from raysweep.data.storing.manifest import is_finished, read_manifest
from raysweep.errors import ConfigError
from raysweep.experiment.earlier import Earlier, Known, Search, learn
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import opened
from raysweep.search.objective import Objective

SHOWN = 3
"""Trials that are of no use, named with the reason."""


def check_warm_start(sweep: SweepConfig, experiment: Experiment, objective: Objective) -> None:
    """Refuses, before anything starts, what is no experiment or does not compare as far as can be seen."""
    if not sweep.warm_start:
        return
    run, metrics = sweep.run(), objective.metrics
    store = store_of(run.data, experiment.folder.parent)
    is_there = run.data.reading != "direct" and is_finished(store)
    own = fingerprint(run, read_manifest(store), metrics) if is_there else None
    for folder in sweep.warm_start:
        _comparable(folder, own, objective)


def known_to(now: Standing, search: Search) -> Iterator[Known]:
    """What the experiments that `now` is to start from know; it has recorded how it validates."""
    own = read_record(now.experiment)
    for folder in now.sweep.warm_start:
        earlier = standing(_comparable(folder, own, now.objective))
        found = learn(search, earlier.sweep, earlier.trials, folder)
        say(f"warm start from {folder}: {_told(found)}")
        yield from found.known


def _comparable(folder: str, own: Fingerprint | None, objective: Objective) -> Experiment:
    """ConfigError unless the experiment's scores compare; with an `own` of None, unless they could."""
    experiment = opened(folder)
    record = read_record(experiment)
    if record is None:
        raise ConfigError(_refusal(folder, "has not recorded what it scores on"))
    if own is not None and not compares(record, own, objective.metrics):
        raise ConfigError(_refusal(folder, "scores on other frames or with other networks"))
    return experiment


def _refusal(folder: str, why: str) -> str:
    return (
        f"a warm start takes scores that compare with the new ones, and {folder} {why}. "
        "Give its best settings as `points` instead, to be tried first."
    )


def _told(found: Earlier) -> str:
    """`9 trials are known, 2 are of no use (0003: it is failed; 0007: it is diverged)`."""
    taken, left = len(found.known), len(found.unfit)
    if not left:
        return f"{taken} trials are known"
    reasons = [f"{trial}: {why}" for trial, why in list(found.unfit.items())[:SHOWN]]
    more = [f"{left - SHOWN} more"] if left > SHOWN else []
    return f"{taken} trials are known, {left} are of no use ({'; '.join([*reasons, *more])})"
