"""Settings from all their places -> one checked SweepConfig, before anything starts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from raysweep.assemble import objective
from raysweep.cluster import resources
from raysweep.cluster.resources import Capacity
from raysweep.commands.console import say, title
from raysweep.commands.footage import check_footage
from raysweep.commands.spaces import LoadedSpace
from raysweep.config import RunConfig, SweepConfig, read_file
from raysweep.errors import ExperimentError
from raysweep.experiment.conductor import check_space
from raysweep.experiment.layout import Experiment
from raysweep.features.backbones import weights_file
from raysweep.schema import Tree, merge, override, parse, parse_assignment
from raysweep.search.objective import Objective

SWEEP_SECTIONS = ("name", "storage", "objective", "scheduler", "sampler", "budget")
"""Settings of the search; all others are of the runs. One file may hold both."""


@dataclass(frozen=True)
class Plan:
    """A sweep that passed every check that needs no cluster."""

    sweep: SweepConfig
    experiment: Experiment
    objective: Objective
    searched: Sequence[str]
    """Dotted paths that the space suggests."""


@dataclass(frozen=True)
class Request:
    """What a person wrote."""

    name: str
    storage: str
    config: Path | None = None
    data: str | None = None
    assignments: Sequence[str] = ()
    trials: int | None = None


def compose(request: Request, space: LoadedSpace | None, space_name: str | None) -> SweepConfig:
    """Lays the space's defaults, the config file and the command line over one another."""
    written = read_file(request.config) if request.config else {}
    pinned = dict(parse_assignment(text) for text in request.assignments)
    of_search = {path: pinned.pop(path) for path in list(pinned) if _is_of_search(path)}
    if request.data is not None:
        pinned["data.source"] = request.data
    if request.trials is not None:
        of_search["budget.trials"] = request.trials
    tree: Tree = {"name": request.name, "storage": request.storage, "space": space_name}
    tree = merge(tree, space.sweep if space else {})
    tree = override(merge(tree, {k: v for k, v in written.items() if _is_of_search(k)}), of_search)
    runs = {k: v for k, v in written.items() if not _is_of_search(k)}
    base = merge(space.base if space else {}, runs)
    return parse(SweepConfig, {**tree, "base": base, "pinned": pinned})


def check(sweep: SweepConfig, space: LoadedSpace | None) -> Plan:
    """Refuses what can be seen to fail: settings, space, objective, weights, footage, resources."""
    run = sweep.run()
    check_run(run)
    if space is not None:
        check_space(sweep, space.space)
    experiment = Experiment(Path(sweep.storage).resolve() / sweep.name)
    if experiment.folder.exists():
        raise ExperimentError(
            f"an experiment's name is used once, and {experiment.folder} exists. Go on with "
            f"`raysweep resume {experiment.folder}`, or choose another --name."
        )
    searched = [] if space is None else _searched_paths(sweep, space)
    return Plan(sweep, experiment, objective(sweep.objective, run.loss), searched)


def check_run(run: RunConfig) -> None:
    with torch.device("meta"):
        tokenizer = run.model.build()
    tokenizer.check_size(run.data.resolution, run.data.resolution)
    if run.loss.perceptual_net != "none":
        weights_file(run.loss.perceptual_net, str(run.loss.perceptual_init))
    check_footage(run.data)
    if (capacity := known_capacity()) is not None:
        resources.concurrency(run.cluster, capacity)


def known_capacity() -> Capacity | None:
    """Of this machine where Ray would start here; None where a cluster has to be asked."""
    return None if "RAY_ADDRESS" in os.environ else resources.local_capacity()


def print_plan(plan: Plan) -> None:
    """What a dry run shows."""
    run = plan.sweep.run()
    title("settings of every trial")
    say(yaml.safe_dump(run.model_dump(mode="json"), sort_keys=False).rstrip())
    title("the search")
    own = {
        name: getattr(plan.sweep, name) for name in ("objective", "scheduler", "sampler", "budget")
    }
    plain = {n: v if isinstance(v, str) else v.model_dump(mode="json") for n, v in own.items()}
    say(yaml.safe_dump(plain, sort_keys=False).rstrip())
    for path in plan.searched:
        fixed = (
            f"pinned to {plan.sweep.pinned[path]!r} by --set"
            if path in plan.sweep.pinned
            else "searched"
        )
        say(f"{path}: {fixed}")
    title("resources")
    say(f"one trial takes {resources.describe(run.cluster)}")
    capacity = known_capacity()
    if capacity is None:
        say(f"how many run at once depends on the cluster at {os.environ['RAY_ADDRESS']}")
    else:
        say(f"{at_once(plan.sweep, capacity)} run at once on this machine ({capacity})")
    say(f"experiment folder: {plan.experiment.folder}")


def at_once(sweep: SweepConfig, capacity: Capacity) -> int:
    fitting = resources.concurrency(sweep.run().cluster, capacity)
    return min(fitting, sweep.budget.max_concurrent or fitting)


def _is_of_search(path: str) -> bool:
    return path.split(".")[0] in SWEEP_SECTIONS


def _searched_paths(sweep: SweepConfig, space: LoadedSpace) -> list[str]:
    from raysweep.search.study import Study

    params, _ = Study(space.space, sweep.sampler, sweep.seed).propose(0)
    return list(params)


def plain(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.split('.')[-1]} {value}" for name, value in values.items())
