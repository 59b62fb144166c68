"""Training without a search: an experiment of one trial, or one more trial of an experiment."""

from collections.abc import Sequence

from raysweep.commands.dry_run import print_plan, print_run
from raysweep.commands.plan import Request, check, check_further, compose, files_from_anywhere
from raysweep.commands.standing import further, standing
from raysweep.experiment.mirror import opened
from raysweep.schema import flatten, parse_assignment


def train(request: Request, dry_run: bool) -> None:
    plan = check(compose(request, None, None), None)
    if dry_run:
        return print_plan(plan)
    from raysweep.commands.sweep import start  # here, since a dry run does without Ray

    return start(plan, None)


def again(experiment: str, trial: str, assignments: Sequence[str], dry_run: bool) -> None:
    """The settings of a trial (an id, or `best`) with some changed, as a further trial beside it."""
    now = standing(opened(experiment))
    changes = files_from_anywhere(flatten(dict(parse_assignment(text) for text in assignments)))
    run = check_further(now, further(now, trial, changes))
    if dry_run:
        return print_run(run)
    from raysweep.commands.sweep import retrain

    retrain(now.experiment, trial, changes)
    return None
