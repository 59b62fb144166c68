"""Which trials of a comparison are shown by pictures, and where their frames lie."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from raysweep.commands.console import say
from raysweep.commands.footage import settled, store_of
from raysweep.data import DataConfig
from raysweep.errors import ConfigError, ExperimentError
from raysweep.report.contest import Comparison, Contest, Entry
from raysweep.report.samples.gallery import Chosen, galleries
from raysweep.report.samples.shots import Amount
from raysweep.report.samples_section import samples_section
from raysweep.report.section import Section

TOP = 6
"""Trials that are shown unless somebody says otherwise; the help of `--top` says it too."""
CPU = torch.device("cpu")
"""A GPU may be full of the sweep that is looked at."""


class Footage(NamedTuple):
    """Of an experiment: which frames validate, and the store that holds them, there or not."""

    data: DataConfig
    store: Path


class Asked(NamedTuple):
    """Of which trials pictures are wanted."""

    named: Sequence[str] = ()
    """Labels or ids."""
    top: int = TOP
    """And of so many of the best ones."""


THE_BEST = Asked()


def asked(named: Sequence[str], top: int) -> Asked:
    """As a person writes it; ConfigError for less than none."""
    if top < 0:
        raise ConfigError(
            f"--top takes a number of trials, got {top}. Give 0 for none of the best."
        )
    return Asked(named, top)


def pictures_section(
    comparison: Comparison,
    asked: Asked,
    tell: Callable[[str], None] = say,
    *,
    only_over: bool = False,
) -> Section:
    """`only_over`: of the best without those that may still get better, whose pictures would soon be others.

    ExperimentError where a name is no trial's.
    """
    named = [entry for name in asked.named for entry in _called(comparison, name)]
    shown = {entry.key: entry for entry in (*_best(comparison, asked.top, only_over), *named)}
    footage = {contest.name: _footage(contest) for contest in comparison.contests}
    trials = [_chosen(entry, footage[entry.contest.name]) for entry in shown.values()]
    return samples_section(galleries(trials, Amount(), CPU, tell))


def _best(comparison: Comparison, top: int, only_over: bool) -> Iterator[Entry]:
    """Of all trials that compare, the `top` ones."""
    taken: Counter[str] = Counter()
    for entry in comparison.entries:
        peers = entry.contest.name if comparison.differences else ""
        is_settled = entry.record.is_over or not only_over
        if entry.may_be_best and is_settled and taken[peers] < top:
            taken[peers] += 1
            yield entry


def _called(comparison: Comparison, name: str) -> list[Entry]:
    """Of several experiments, an id may be that of one trial in each."""
    found = [entry for entry in comparison.entries if name in (entry.label, entry.record.trial)]
    if not found:
        known = ", ".join(entry.label for entry in comparison.entries) or "none yet"
        raise ExperimentError(f"pictures are of trials that are there, got {name}. Known: {known}.")
    return found


def _footage(contest: Contest) -> Footage:
    data = settled(contest.sweep.run().data, contest.experiment)
    return Footage(data, store_of(data, contest.experiment.folder.parent))


def _chosen(entry: Entry, footage: Footage) -> Chosen:
    return Chosen(
        key=entry.key,
        label=entry.label,
        experiment=entry.contest.experiment,
        trial=entry.record.trial,
        kept=entry.contest.objective.kept_as,
        data=footage.data,
        store=footage.store,
        reports=entry.record.reports,
    )
