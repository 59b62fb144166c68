"""Asking something of a sweep from another terminal, and extending one."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from raysweep.commands.console import say
from raysweep.commands.plan import check_further, files_from_anywhere
from raysweep.commands.standing import Added, Standing, standing
from raysweep.errors import ConfigError, ExperimentError
from raysweep.experiment.events import has_writer
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import is_driven, push
from raysweep.experiment.records import ENQUEUED, counted
from raysweep.experiment.requests import (
    ask_to_enqueue,
    ask_to_pause,
    ask_to_stop,
    ask_to_unpause,
)
from raysweep.schema import flatten, merge, override, parse, parse_assignment
from raysweep.search.budget import BudgetConfig
from raysweep.training.schedule import factor


class Extension(NamedTuple):
    """What a search is given more."""

    budget: BudgetConfig
    """Its limits from now on."""
    last_step: int | None
    """Where its runs end from now on; None: where they did."""


def stop(experiment: Experiment, trial: str) -> None:
    """Asks for the end of a trial that is not over."""
    now = standing(experiment)
    record = now.trial(trial)
    if record.is_over:
        going = [record.trial for record in now.trials.values() if not record.is_over]
        raise ExperimentError(
            f"a trial can be stopped until it is over, and {record.trial} is {record.state}. "
            f"Not over: {', '.join(going) or 'none'}."
        )
    _send(experiment, ask_to_stop(experiment.requests, record.trial))
    _say_when(experiment, f"{record.trial} is stopped", "at its next validation")


def enqueue(experiment: Experiment, assignments: Sequence[str]) -> None:
    """Asks for a trial of the experiment's base settings and `assignments`, ahead of what the search proposes."""
    now = standing(experiment)
    written = flatten(dict(parse_assignment(text) for text in assignments))
    settings = files_from_anywhere(written)
    check_further(now, Added(settings, ENQUEUED))
    _send(experiment, ask_to_enqueue(experiment.requests, settings))
    _say_when(experiment, "the trial runs", "as soon as there is room, before new proposals")


def pause(experiment: Experiment) -> None:
    """Asks for a rest of the whole sweep."""
    if standing(experiment).is_suspended:
        raise ExperimentError(
            f"a sweep is paused once, and {experiment.where} is paused. "
            f"Go on with `raysweep unpause {experiment.as_word}`."
        )
    asked = ask_to_pause(experiment.requests)  # also where a file system does not tell of drivers
    if is_driven(experiment):
        _send(experiment, asked)
        say("every trial ends at its next validation, and then the driver")
    else:
        say("no driver is seen at work: there is nothing to pause")


def unpause(experiment: Experiment) -> bool:
    """Whether a driver must begin; one that is at work yet is asked to go on."""
    if not standing(experiment).is_suspended:
        raise ExperimentError(
            f"what goes on is a sweep that is paused, and {experiment.where} is not. "
            f"Use `raysweep resume {experiment.as_word}`."
        )
    if not is_driven(experiment):
        return True
    _send(experiment, ask_to_unpause(experiment.requests))
    say("the driver, which is still at work, goes on")
    return False


def extension(
    now: Standing, trials: int | None, steps: int | None, assignments: Sequence[str]
) -> Extension | None:
    """`trials` more, up to `steps` a trial, under the limits of `assignments`; None where nothing is asked."""
    if trials is None and steps is None and not assignments:
        return None
    if now.sweep.space is None:
        raise ExperimentError(
            f"what is extended is a search, and {now.experiment.where} has none. "
            "Run a trial of it for longer with `raysweep train --from`."
        )
    _require_more(now, trials, steps)
    budget = _limits(now, trials, assignments)
    now.budget.extended(budget)  # of this reading alone: the driver reads the log itself
    spent = now.budget.over if steps is None else now.budget.cut
    if spent is not None:
        raise ConfigError(
            f"an extended search needs a budget, and {spent} are spent. Go on with {spent.raised_by}."
        )
    if steps is not None:
        _say_cosine(now, steps)
    return Extension(budget, steps)


def require_failed(now: Standing) -> None:
    """ExperimentError where no trial has failed."""
    if not any(record.state == "failed" for record in now.trials.values()):
        raise ExperimentError(
            f"--retry-failed is for trials that failed, and {now.experiment.where} has "
            f"{counted(now.trials.values(), is_driven=True) or 'no trials'}. Leave it out."
        )


def _require_more(now: Standing, trials: int | None, steps: int | None) -> None:
    if trials is not None and trials < 1:
        raise ConfigError(f"--trials is how many more to propose, got {trials}. Give 1 or more.")
    if trials is not None and now.sweep.budget.trials is None:
        raise ConfigError(
            f"--trials adds to budget.trials, which has no limit, got {trials}. Leave it out."
        )
    if steps is None:
        return
    searched = {path for record in now.trials.values() for path in record.params}
    if searched & {"training.steps", "training.epochs"}:
        raise ConfigError(
            f"--steps is one length for all trials, and this search varies it, got {steps}. "
            "Run a trial for longer with `raysweep train --from`."
        )
    if steps <= last_step(now):
        raise ConfigError(
            f"--steps must be above the {last_step(now)} steps of now, got {steps}. Give more."
        )


def last_step(now: Standing) -> int:
    """Where runs of the search end."""
    ends = [record.last_step for record in now.trials.values() if record.is_searched]
    return max(ends, default=now.sweep.run().training.steps)


def _limits(now: Standing, trials: int | None, assignments: Sequence[str]) -> BudgetConfig:
    settings = flatten(dict(parse_assignment(text) for text in assignments))
    for path in settings:
        if not path.startswith("budget."):
            raise ConfigError(
                f"--set of resume takes limits such as budget.hours, got {path}. "
                "Start another experiment for other settings."
            )
    before = now.sweep.budget
    more = {} if trials is None else {"trials": (before.trials or 0) + trials}
    tree = merge(before.model_dump(), override({}, settings).get("budget", {}))
    return parse(BudgetConfig, {**tree, **more})


def _say_cosine(now: Standing, steps: int) -> None:
    end = last_step(now)
    training = now.sweep.run().training.model_copy(update={"steps": steps})
    if training.schedule == "cosine":
        say(
            f"the cosine is that of {steps} steps: trials that go on at step {end}, where their learning rate "
            f"had come to its end, take {factor(training, end):.2f} of training.learning_rate"
        )


def _send(experiment: Experiment, request: Path) -> None:
    """A driver on this machine takes it from the mirror, perhaps at once."""
    if not has_writer(experiment.events):
        push(experiment, request)


def _say_when(experiment: Experiment, what: str, when: str) -> None:
    if is_driven(experiment):
        say(f"{what} {when}")
    else:
        say(f"no driver is at work: {what} once `raysweep resume {experiment.as_word}` takes it in")
