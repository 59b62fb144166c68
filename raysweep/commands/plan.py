"""Settings from all their places -> one checked SweepConfig, before anything starts."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from raysweep.cluster import resources
from raysweep.cluster.resources import Capacity
from raysweep.commands.confirmation import require_test_split
from raysweep.commands.footage import check_footage, settled
from raysweep.commands.notifier import address
from raysweep.commands.param_file import read_settings
from raysweep.commands.record import check_record
from raysweep.commands.spaces import LoadedSpace
from raysweep.commands.standing import Added, Standing
from raysweep.commands.tasks import read_tasks
from raysweep.commands.warm_start import check_warm_start
from raysweep.comparable import weights_of
from raysweep.config import RunConfig, SweepConfig, laid
from raysweep.data import DEMO, FOOTAGE
from raysweep.data.sources.places import absolute
from raysweep.errors import ConfigError, ExperimentError
from raysweep.experiment.draws import asked_of_some, check_points, check_space, tried
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import exists, located
from raysweep.features.backbones import check_frame_size, weights_file
from raysweep.features.inception import inception_file
from raysweep.features.resnet import resnet_file
from raysweep.legacy.device import gpus_of
from raysweep.models.published.fitting import Start, open_checkpoint
from raysweep.objectives import objective
from raysweep.schema import Tree, flatten, merge, override, parse, parse_assignment
from raysweep.search import schedulers
from raysweep.search.objective import Objective

FILES = ("model.checkpoint", "data.source", "data.validation_source", "data.store", "warm_start")
"""Settings that name files or folders: as written, from the current one; or URIs."""
SWEEP_SECTIONS = (
    *("name", "storage", "points", "warm_start"),
    *("objective", "constraints", "scheduler", "sampler", "budget", "confirm", "notify"),
)
"""Settings of the search; all others are of the runs. One file may hold both."""
OBJECTIVE = "objective"
"""One setting, also where it is a mapping."""


@dataclass(frozen=True)
class Plan:
    """A sweep that passed every check that needs no cluster."""

    sweep: SweepConfig
    experiment: Experiment
    objective: Objective
    tried: Mapping[str, str]
    """What the space gives each setting, in words, by dotted path."""
    question: str
    """Of the space; empty without one."""


@dataclass(frozen=True)
class Request:
    """What a person wrote; None: nothing, and the config file or the default holds."""

    name: str | None = None
    storage: str | None = None
    config: Path | None = None
    data: str | None = None
    assignments: Sequence[str] = ()
    trials: int | None = None
    warm_start: Sequence[str] | None = None
    device: str | None = None
    """`cpu`, `cuda`, `cuda:N` or `auto`."""

    @property
    def settings(self) -> Tree:
        """By dotted path: the other words are short for settings, and stronger than `--set`."""
        words = {
            "name": self.name,
            "storage": self.storage,
            "data.source": self.data,
            "budget.trials": self.trials,
            "warm_start": self.warm_start,
            "cluster.gpus_per_worker": self._gpus,
        }
        assigned = dict(parse_assignment(text) for text in self.assignments)
        whole = {OBJECTIVE: assigned.pop(OBJECTIVE)} if OBJECTIVE in assigned else {}
        assigned = flatten(assigned) | whole
        given = {path: value for path, value in words.items() if value is not None}
        return files_from_anywhere(assigned | given)

    @property
    def _gpus(self) -> int | None:
        if self.device is None:
            return None
        try:
            return gpus_of(self.device, known_gpus())
        except ConfigError as error:
            raise ConfigError(f"--device {error}.") from None


def compose(request: Request, space: LoadedSpace | None, space_name: str | None) -> SweepConfig:
    """Lays the space's defaults, the config file and the command line over one another."""
    by_hand, name = request.settings, Path(space_name or "train").stem
    written = _written(request.config, by_hand)
    usual = {"name": name, "space": space_name, "scheduler": schedulers.USUAL}
    search = merge(usual, space.sweep if space else {})
    search = _over_search(search, _part(written, of_search=True))
    search = _over_search(search, _part(by_hand, of_search=True))
    below = _with_files(space.base) if space else {}
    base = laid(below, flatten(_part(written, of_search=False)))
    pinned = _part(by_hand, of_search=False)
    some = asked_of_some(space.space, space_name, pinned) if space else set()
    layers = {
        "base": base,
        "pinned": {path: value for path, value in pinned.items() if path not in some},
        "pinned_if_asked": {path: value for path, value in pinned.items() if path in some},
    }
    return parse(SweepConfig, {**search, **layers})


def compose_tasks(request: Request, folder: Path) -> SweepConfig:
    """An experiment of a folder's tasks, named after the folder; the command line lies over every task."""
    by_hand = request.settings
    tasks = read_tasks(folder, _part(by_hand, of_search=False), known_gpus())
    search = override({"name": folder.resolve().name}, _part(by_hand, of_search=True))
    own = {name: files_from_anywhere(it) for name, it in tasks.settings.items()}
    return parse(SweepConfig, {**search, "tasks": own, "base": _with_files(tasks.base)})


def check(sweep: SweepConfig, space: LoadedSpace | None) -> Plan:
    """Refuses what can be seen to fail: settings, space, objective, weights, footage, resources."""
    run, experiment = sweep.run(), located(sweep.storage, sweep.name)
    goal = objective(sweep.objective, sweep.constraints, run)
    if space is not None:
        _require_validation(run)
    _require_free(experiment)
    address(sweep.notify, os.environ)
    for asked in [sweep.run_by_hand(settings) for settings in sweep.tasks.values()] or [run]:
        _require_comparable(asked, run, goal, sweep)
        _require_buildable(asked)
    check_footage(run.data, experiment.folder.parent)  # which all of them share
    if sweep.confirm is not None:
        require_test_split(run.data, experiment.folder.parent)
    check_warm_start(sweep, experiment, goal)
    values = len(goal.goals) if goal.is_pareto else 1
    draws = check_space(sweep, space.space, values=values) if space else []
    draws += check_points(sweep, space.space) if space else []
    for drawn in _distinct(draw.config for draw in draws):
        _require_comparable(drawn, run, goal, sweep)
        _require_buildable(drawn)
    return Plan(sweep, experiment, goal, tried(draws), space.question if space else "")


def check_run(run: RunConfig, experiment: Experiment) -> None:
    """Refuses a run that can be seen to fail; its footage is, or will be, prepared beside `experiment`."""
    _require_buildable(run)
    check_footage(settled(run.data, experiment), experiment.folder.parent)


def check_further(now: Standing, added: Added) -> RunConfig:
    """The run of a trial to add, checked as those of a new experiment are."""
    run = now.sweep.run_by_hand(added.settings)
    _require_comparable(run, now.sweep.run(), now.objective, now.sweep)
    check_again(run, now)
    return run


def check_again(run: RunConfig, now: Standing) -> None:
    """As `check_run`, for an experiment that has begun: a store that is there must still be what ranks trials."""
    check_run(run, now.experiment)
    check_record(run, now.experiment, now.objective.metrics)


def _require_buildable(run: RunConfig) -> None:
    run.tracking.check()
    size = run.data.resolution
    with torch.device("meta"):
        run.model.build().check_size(size, size)
    if run.model.checkpoint is not None:
        start_of(run)
    if run.loss.perceptual_net != "none":
        check_frame_size(run.loss.perceptual_net, size, size)
        weights_file(run.loss.perceptual_net, str(run.loss.perceptual_init))
    if run.loss.logit_weight > 0:
        resnet_file(str(run.loss.logit_init))
    if run.training.rfid != "off":
        inception_file(str(run.training.rfid))
    resources.ceiling(run.cluster)
    if (capacity := known_capacity()) is not None:
        resources.concurrency(run.cluster, capacity)


def start_of(run: RunConfig) -> Start:
    """What the run takes over from its checkpoint; ConfigError where that does not fit."""
    with torch.device("meta"):
        tokenizer, discriminator = run.model.build(), run.discriminator.build()
    return open_checkpoint(run.model, tokenizer, discriminator)


def _require_validation(run: RunConfig) -> None:
    if run.data.split == "none":
        raise ConfigError(
            "a search ranks trials by their validation, and data.split none leaves nothing to validate on. "
            "Set data.split to auto, or train one run with `raysweep train`."
        )


def _require_comparable(
    run: RunConfig, base: RunConfig, goal: Objective, sweep: SweepConfig
) -> None:
    """Trials of an experiment share one store, and are ranked on the same frames by the same metrics."""
    for name in FOOTAGE:
        asked, shared = getattr(run.data, name), getattr(base.data, name)
        if asked != shared:
            raise ConfigError(
                f"trials of an experiment share their footage, got data.{name} {asked} beside {shared}. "
                "Start another experiment for it."
            )
    for name in base.data.scored_on:
        asked, shared = getattr(run.data, name), getattr(base.data, name)
        if asked != shared:
            raise ConfigError(
                f"trials of an experiment are scored on the same frames, and data.{name} decides which, "
                f"got {asked} beside {shared}. Pin it with --set data.{name}={shared}, or start another "
                "experiment for it."
            )
    measured = objective(sweep.objective, sweep.constraints, run)
    _require_same_measures(goal, run, measured, base)


def _require_same_measures(
    goal: Objective, run: RunConfig, measured: Objective, base: RunConfig
) -> None:
    """Every metric that ranks is measured in `run` as in `base`."""
    for ranks, has in zip(goal.metrics, measured.metrics, strict=True):
        if has != ranks:
            raise ConfigError(
                f"trials of an experiment are ranked by {ranks}, and this one measures {has}. "
                "Start another experiment for it."
            )
        with_, beside = (weights_of(ranks, each) for each in (run, base))
        if with_ != beside:
            raise ConfigError(
                f"trials of an experiment are ranked by {ranks} with the same weights, got {with_} beside "
                f"{beside}. Start another experiment for them."
            )


def _require_free(experiment: Experiment) -> None:
    folder = experiment.folder
    if exists(experiment):
        raise ExperimentError(
            f"an experiment's name is used once, and {experiment.where} exists. Go on with "
            f"`raysweep resume {experiment.as_word}`, or choose another --name."
        )
    if experiment.remote is not None:
        return
    there = next(path for path in (folder, *folder.parents) if path.exists())
    empty = there != folder or (there.is_dir() and not any(there.iterdir()))
    if not (empty and there.is_dir() and os.access(there, os.W_OK)):
        raise ExperimentError(
            f"an experiment needs a new folder, and {folder} cannot be made because of {there}. "
            "Choose another --name or --storage."
        )


def _distinct(runs: Iterable[RunConfig]) -> Iterable[RunConfig]:
    """One of each that could fail on its own: a space mostly varies numbers that cannot."""
    whole = {"data": True, "model": True, "cluster": True, "tracking": True}
    weights = {"loss": {"perceptual_net", "perceptual_init", "logit_init"}, "training": {"rfid"}}
    keyed = {}
    for run in runs:
        shown = run.model_dump_json(include={**whole, **weights})
        keyed[shown, run.loss.logit_weight > 0] = run
    return keyed.values()


def known_gpus() -> float:
    """GPUs of this machine; 0 where a cluster has to be asked."""
    capacity = known_capacity()
    return 0 if capacity is None else capacity.gpus


def known_capacity() -> Capacity | None:
    """Of this machine where Ray would start here; None where a cluster has to be asked."""
    return None if "RAY_ADDRESS" in os.environ else resources.local_capacity()


def at_once(sweep: SweepConfig, capacity: Capacity) -> int:
    """On what is there; ResourceError when not even one trial fits."""
    cluster = sweep.run().cluster
    limits = resources.ceiling(cluster), sweep.budget.max_concurrent
    fitting = resources.concurrency(cluster, capacity)
    return min([fitting, *(limit for limit in limits if limit is not None)])


def _written(config: Path | None, by_hand: Tree) -> Tree:
    """The settings of the config file, where there is one."""
    if config is None:
        return {}
    written = read_settings(config, known_gpus(), other_source="data.source" in by_hand)
    return _with_files(written)


def _over_search(below: Tree, above: Tree) -> Tree:
    """Settings of the search over weaker ones."""
    kept = {name: value for name, value in below.items() if name != OBJECTIVE or name not in above}
    return override(kept, above)


def _with_files(settings: Tree) -> Tree:
    return override(settings, files_from_anywhere(flatten(settings)))


def _part(settings: Mapping[str, Any], *, of_search: bool) -> Tree:
    """Those of the search, or those of the runs; keys may be dotted paths."""
    return {
        path: value
        for path, value in settings.items()
        if (str(path).split(".")[0] in SWEEP_SECTIONS) is of_search
    }


def files_from_anywhere(settings: Tree) -> Tree:
    """Settings by dotted path, those of FILES as `resume` can use them from another folder."""
    named = {path: _from_anywhere(settings[path]) for path in FILES if path in settings}
    if settings.get("data.source") == DEMO:
        named["data.source"] = DEMO
    return settings | named


def _from_anywhere(value: Any) -> Any:
    """What is no path or list of paths stays as it is, for the settings' own check to refuse."""
    if isinstance(value, list):
        return [_from_anywhere(entry) for entry in value]
    return absolute(value) if isinstance(value, str) and value else value
