"""Which settings mattered: Optuna's parameter importance, by PED-ANOVA.

Watanabe et al. 2023, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces": a
setting matters as far as the best trials' values of it are distributed otherwise than all trials'. It asks who is
among the best and not by how much, so trials that were stopped early count with the score that they had, and those
that break a constraint with one below all others.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from plotly.graph_objects import Bar, Figure

from raysweep.report.charts import ACCENT, charted, figure, plain
from raysweep.report.contest import Comparison, Entry
from raysweep.report.rendering import render
from raysweep.report.section import Section
from raysweep.report.wording import short, short_names
from raysweep.search.objective import Objective, Score

FEWEST = 10
"""Trials with a score below which nothing is said."""
BEST_SHARE = 0.25
"""Of the trials, whose settings are held against those of all."""
WIDE = 50
"""Positive numbers that span such a ratio are taken for logarithmic, as the event log does not tell."""


class Importances(NamedTuple):
    goal: str
    of: Mapping[str, float]
    """By dotted path, the highest first; they sum to 1."""


def importance_section(comparison: Comparison) -> Section:
    figures: dict[str, Figure] = {}
    notes = []
    for contest in comparison.contests:
        own = comparison.of(contest)
        found = importances(contest.objective, own)
        whose = f"{contest.name}: " if comparison.contests[1:] else ""
        figures |= {f"{whose}{each.goal}": _bars(each.of) for each in found}
        if not found:
            notes.append(f"{whose}{_why_not(own)}")
    about = (
        f"By PED-ANOVA: how differently the best {BEST_SHARE:.0%} of the trials are set from all of them. "
        "Stopped trials count with the score that they had; those that break a constraint are none of the best."
    )
    body = render("note.html", text=" ".join(notes)) if notes else ""
    if figures:
        body += charted("importance", figures, about, label="Goal")
    return Section("importance", "What mattered", body)


def importances(objective: Objective, entries: Sequence[Entry]) -> list[Importances]:
    """For each thing that is maximized; none where too few trials of the search have a
    score, or none stands out."""
    scored = _scored(entries)
    if len(scored) < FEWEST:
        return []
    distributions = _distributions([entry.record.params for entry in scored])
    if not distributions:
        return []
    names = ["score"] if objective.weights else [short(goal.metric) for goal in objective.goals]
    values = _values([entry.row.score for entry in scored if entry.row.score])
    return [
        Importances(name, _importances(scored, distributions, goal))
        for name, goal in zip(names, values, strict=True)
        if _some_stand_out(goal)
    ]


def _values(scores: Sequence[Score]) -> Iterator[list[float]]:
    """By goal, of each trial; of one that breaks a constraint, as far below the worst of all as it breaks them."""
    broken = [score.violation for score in scores]
    for goal in zip(*(score.values for score in scores), strict=True):
        worst = min(goal)
        yield [worst - by if by else value for value, by in zip(goal, broken, strict=True)]


def _some_stand_out(values: Sequence[float]) -> bool:
    """Whether the best are others than all."""
    return sorted(values)[-ceil(BEST_SHARE * len(values))] > min(values)


def is_logarithmic(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) >= WIDE * min(values)


def _scored(entries: Sequence[Entry]) -> list[Entry]:
    """With several goals without weights none that breaks a constraint, which would be worst in each and best in some."""
    there = [it for it in entries if it.record.is_searched and it.row.score is not None]
    return [it for it in there if not (it.row.broken and it.contest.objective.is_pareto)]


def _importances(
    entries: Sequence[Entry],
    distributions: Mapping[str, BaseDistribution],
    values: Sequence[float],
) -> dict[str, float]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for entry, value in zip(entries, values, strict=True):
        params = {path: _plain(it) for path, it in entry.record.params.items()}
        params = {path: value for path, value in params.items() if path in distributions}
        own = {path: distributions[path] for path in params}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=own, value=value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
        return get_param_importances(study, evaluator=evaluator)


def _distributions(params: Sequence[Mapping[str, Any]]) -> dict[str, BaseDistribution]:
    """The ranges as they were tried; of settings that were not the same in all."""
    values: dict[str, list[Any]] = {}
    for each in params:
        for path, value in each.items():
            values.setdefault(path, []).append(_plain(value))
    return {path: _range(tried) for path, tried in values.items() if len(set(tried)) > 1}


def _range(values: Sequence[Any]) -> BaseDistribution:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return FloatDistribution(min(values), max(values), log=is_logarithmic(values))
    return CategoricalDistribution(list(dict.fromkeys(values)))


def _plain(value: Any) -> Any:
    """Optuna takes no lists among choices."""
    return json.dumps(value) if isinstance(value, list) else value


def _bars(of: Mapping[str, float]) -> Figure:
    names, shares = short_names(of), list(of.values())[::-1]
    return figure(
        [
            Bar(
                x=shares,
                y=[plain(names[path]) for path in of][::-1],
                orientation="h",
                marker={"color": ACCENT},
                text=[f"{share:.0%}" for share in shares],
                textposition="auto",
                textangle=0,
                hovertext=[plain(path) for path in of][::-1],
                hoverinfo="text",
            )
        ],
        xaxis={
            "title": {"text": "share of the importance"},
            "tickformat": ".0%",
            "rangemode": "tozero",
        },
        yaxis={"automargin": True, "type": "category"},
    )


def _why_not(entries: Sequence[Entry]) -> str:
    count = len(_scored(entries))
    if count < FEWEST:
        return f"Importance needs {FEWEST} searched trials with a validation, and here are {count}."
    return "The search varied nothing, or its best trials have the score of the others."
