"""Confirmation: the finalists of a search are trained again, with seeds that it did not use.

The best of many noisy trials is partly lucky: its score flatters it. What is left to confirm is a function of
the records, so a driver that was killed half-way enters the rest and nothing twice.
"""

from collections.abc import Iterator
from typing import NamedTuple

from raysweep.config import ConfirmConfig, SweepConfig
from raysweep.experiment.records import CONFIRMS, Records, TrialRecord, confirming, ran_with
from raysweep.experiment.results import leaderboard
from raysweep.schema import Tree
from raysweep.search.objective import Objective
from raysweep.search.ranking import front


class Entry(NamedTuple):
    """A trial to add."""

    origin: str
    settings: Tree
    """Dotted paths, over the experiment's base."""


def finalists(trials: Records, objective: Objective, top: int) -> list[TrialRecord]:
    """The best trials that keep the constraints, at most `top`; with several objectives, of the front alone.

    Trials that a person trained again from another one (`raysweep train --from`) are not among them.
    """
    stood = [record for record in trials.values() if not record.is_repeated]
    scores = {
        row.trial: row.score
        for row in leaderboard(stood, objective)
        if row.score is not None and row.score.violation == 0
    }
    leading = front(scores) if objective.is_pareto else list(scores)
    return [trials[trial] for trial in scores if trial in leading][:top]


def left_to_confirm(sweep: SweepConfig, trials: Records, objective: Objective) -> list[Entry]:
    """Every finalist with the seeds that it still lacks; each trial has a seed of its own."""
    if sweep.confirm is None:
        return []
    lacking = list(_lacking(sweep.confirm, trials, objective))
    first = 1 + max([sweep.run().seed, *map(_seed, trials.values())])
    return [
        Entry(f"{CONFIRMS}{record.trial}", {**ran_with(sweep, record), "seed": seed})
        for seed, record in enumerate(lacking, first)
    ]


def _lacking(config: ConfirmConfig, trials: Records, objective: Objective) -> Iterator[TrialRecord]:
    """A finalist as often as it is to be trained yet."""
    begun = confirming(trials.values())
    for record in finalists(trials, objective, config.top):
        yield from [record] * (config.seeds - len(begun.get(record.trial, ())))


def _seed(record: TrialRecord) -> int:
    seed = record.settings.get("seed")
    return seed if isinstance(seed, int) else 0
