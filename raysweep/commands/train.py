"""Training without a search: an experiment of one trial, or one more trial of an experiment."""

from collections.abc import Sequence
from pathlib import Path

from raysweep.commands.plan import Request, check, compose, print_plan
from raysweep.commands.sweep import retrain, start
from raysweep.experiment.layout import open_experiment
from raysweep.schema import parse_assignment


def train(request: Request, dry_run: bool) -> None:
    plan = check(compose(request, None, None), None)
    if dry_run:
        print_plan(plan)
    else:
        start(plan, None)


def again(experiment: Path, trial: str | None, assignments: Sequence[str]) -> None:
    """The settings of a trial (None: the best) with some changed, as a further trial beside it."""
    changes = dict(parse_assignment(text) for text in assignments)
    retrain(open_experiment(experiment), trial, changes)
