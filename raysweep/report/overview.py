"""The head of the page: each experiment in a few figures, and what all of its trials share."""

from math import isnan
from typing import NamedTuple

from raysweep.experiment.confirmed import Confirmed, Spread
from raysweep.experiment.records import counted
from raysweep.report.contest import Comparison, Contest, Entry, best, varied
from raysweep.report.rendering import render
from raysweep.report.saving import Saving, in_all, savings
from raysweep.report.section import Section
from raysweep.report.wording import figure, short, told
from raysweep.schema import Tree, flatten
from raysweep.search.objective import Objective


class Finalist(NamedTuple):
    """A confirmed trial, on the test split."""

    trial: str
    seeds: int
    figures: list[str]
    """`psnr 23.4 ± 0.1`."""


class Glance(NamedTuple):
    """One experiment."""

    contest: Contest
    best: Entry | None
    result: list[tuple[str, str]]
    """What the best came to: of each metric that ranks, its name and figure."""
    states: str
    """`2 running, 5 stopped`."""
    spent: str
    saved: Saving
    finalists: list[Finalist]
    shared: Tree
    """Settings that all of its trials have."""
    asked: Tree
    """Of the search."""


OF_THE_SEARCH = {
    *("space", "points", "warm_start", "objective", "constraints", "scheduler", "sampler"),
    *("budget", "confirm", "seed", "made_with"),
}


def overview_section(comparison: Comparison) -> Section:
    glances = [_glance(comparison, contest) for contest in comparison.contests]
    body = render("overview.html", glances=glances, differences=comparison.differences)
    return Section("overview", "At a glance", body)


def _glance(comparison: Comparison, contest: Contest) -> Glance:
    own = comparison.of(contest)
    first = best(own)
    differ = set(varied(own))
    settings = own[0].settings if own else {}
    asked = contest.sweep.model_dump(mode="json", include=OF_THE_SEARCH)
    return Glance(
        contest=contest,
        best=first,
        result=[] if first is None else _result(first, contest.objective),
        states=counted(contest.trials.values(), contest.is_driven),
        spent=", ".join(map(str, contest.budget.limits)),
        saved=in_all(list(savings(comparison, contest).values())),
        finalists=[_finalist(each) for each in contest.confirmed],
        shared={path: told(it) for path, it in settings.items() if path not in differ},
        asked={path: told(value) for path, value in flatten(asked).items()},
    )


def _result(first: Entry, objective: Objective) -> list[tuple[str, str]]:
    judged = {"score": figure(first.row.judged["score"])} if objective.weights else {}
    figures = {short(it): figure(first.row.metrics[it]) for it in objective.metrics}
    return list((judged | figures).items())


def _finalist(found: Confirmed) -> Finalist:
    figures = [f"{short(name)} {_spread(it)}" for name, it in found.figures.items()]
    return Finalist(found.trial, len(found.scores), figures)


def _spread(figures: Spread) -> str:
    mean = figure(figures.mean)
    return mean if isnan(figures.deviation) else f"{mean} ± {figure(figures.deviation)}"
