"""What is shown of a plan instead of starting it."""

import os

import yaml

from raysweep.cluster import resources
from raysweep.commands.console import say, title
from raysweep.commands.plan import Plan, at_once, known_capacity, start_of
from raysweep.config import RunConfig
from raysweep.models.published.fitting import describe
from raysweep.schema import override

_SHOWN_OF_SEARCH = ("objective", "constraints", "scheduler", "sampler", "budget", "confirm")


def print_plan(plan: Plan) -> None:
    """What a dry run shows."""
    print_run(plan.sweep.run())
    capacity = known_capacity()
    if capacity is None:
        say(f"how many run at once depends on the cluster at {os.environ['RAY_ADDRESS']}")
    else:
        say(f"{at_once(plan.sweep, capacity)} run at once on this machine ({capacity})")
    if plan.sweep.space is None:
        ranking = plan.sweep.model_dump(mode="json", include={"objective", "constraints"})
        say(yaml.safe_dump(ranking, sort_keys=False).rstrip())
    else:
        _print_search(plan)
    say(f"experiment folder: {plan.experiment.where}")


def _print_search(plan: Plan) -> None:
    title("the question")
    say(plan.question)
    title("the search")
    settings = plan.sweep.model_dump(mode="json", include=set(_SHOWN_OF_SEARCH))
    say(yaml.safe_dump(settings, sort_keys=False).rstrip())
    pinned = {**plan.sweep.pinned, **plan.sweep.pinned_if_asked}
    for path, tried in plan.tried.items():
        say(f"{path}: " + (f"pinned to {pinned[path]!r} by --set" if path in pinned else tried))


def print_tasks(plan: Plan) -> None:
    """What a dry run of a folder of tasks shows."""
    title("settings of every task")
    say(yaml.safe_dump(plan.sweep.base, sort_keys=False).rstrip())
    for name, settings in plan.sweep.tasks.items():
        title(name)
        say(yaml.safe_dump(override({}, settings), sort_keys=False).rstrip())
        say(f"takes {resources.describe(plan.sweep.run_by_hand(settings).cluster)}")
    say(f"experiment folder: {plan.experiment.where}")


def print_run(run: RunConfig) -> None:
    title("settings")
    epochs = run.training.epochs
    left = {"training": {"steps"}} if epochs is not None else {}
    say(yaml.safe_dump(run.model_dump(mode="json", exclude=left), sort_keys=False).rstrip())
    print_start(run)
    title("resources")
    say(f"one trial takes {resources.describe(run.cluster)}")
    if epochs is not None:
        say(f"training.epochs {epochs} become training.steps once the training clips are counted")


def print_start(run: RunConfig) -> None:
    """What a run takes over from its checkpoint, and what it leaves."""
    if run.model.checkpoint is not None:
        title("the start")
        say(describe(start_of(run), run.model.checkpoint))
