"""What a new search can learn from an earlier experiment: trials that it could have proposed itself."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError
from raysweep.experiment.records import Records, TrialRecord, run_of
from raysweep.schema import Tree, flatten
from raysweep.search.given import Unfit, answered
from raysweep.search.objective import Objective
from raysweep.search.study import Space


class Known(NamedTuple):
    """An earlier trial, as the new search would have run it."""

    source: str
    """Whose it is."""
    params: Tree
    """What the new space suggests, by dotted path."""
    reports: dict[int, dict[str, float]]
    """The metrics of the new objective, by step."""
    outcome: Literal["complete", "pruned"]


class Earlier(NamedTuple):
    """What became of an earlier experiment's searched trials."""

    known: list[Known]
    unfit: dict[str, str]
    """Trial -> why it is of no use here."""


class Search(NamedTuple):
    """The new one."""

    sweep: SweepConfig
    space: Space
    objective: Objective
    in_steps: Callable[[RunConfig], RunConfig]
    """Gives a run its length in steps, where it is said in epochs."""


def learn(search: Search, then: SweepConfig, trials: Records, name: str) -> Earlier:
    """From the trials of an experiment called `name` that was asked for `then`."""
    found = Earlier([], {})
    for record in trials.values():
        if record.is_searched:
            try:
                found.known.append(_known(search, then, record, f"{name}/{record.trial}"))
            except (Unfit, ConfigError) as error:
                found.unfit[record.trial] = str(error)
    return found


def _known(search: Search, then: SweepConfig, record: TrialRecord, source: str) -> Known:
    """Unfit or ConfigError where the new search would not have run it."""
    if record.state not in ("finished", "stopped", "paused"):
        raise Unfit(f"it is {record.state}")
    params, run = _same_run(search, then, record)
    reports = _scored(search.objective, record)
    is_whole = record.state == "finished" and max(reports) >= search.in_steps(run).training.steps
    return Known(source, params, reports, "complete" if is_whole else "pruned")


def _same_run(search: Search, then: SweepConfig, record: TrialRecord) -> tuple[Tree, RunConfig]:
    """What the new space suggests where the earlier run is asked, and the run that comes of it: the same in all
    that either search varied."""
    before = flatten(run_of(then, record).model_dump(mode="json"))
    params, extra = answered(search.space, {**before, **record.settings})
    pinned = search.sweep.all_pinned
    settings = {path: pinned.get(path, value) for path, value in {**extra, **params}.items()}
    run = search.sweep.run(settings)
    now = flatten(run.model_dump(mode="json"))
    for path in (*params, *record.params):
        if now.get(path) != before.get(path):
            raise Unfit(f"{path} was {before.get(path)} there and is {now.get(path)} here")
    return params, run


def _scored(objective: Objective, record: TrialRecord) -> dict[int, dict[str, float]]:
    reports = {
        step: {name: metrics[name] for name in objective.metrics}
        for step, metrics in record.reports.items()
        if objective.score(metrics) is not None
    }
    if not reports:
        raise Unfit(f"no finite {' and '.join(objective.metrics)}")
    return reports
