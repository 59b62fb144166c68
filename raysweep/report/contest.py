"""What the page is made from: experiments as they stand, and their trials in one order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any

from raysweep.comparable import Fingerprint, compares
from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError
from raysweep.experiment.account import Account
from raysweep.experiment.confirmed import Confirmed
from raysweep.experiment.events import Event
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import Records, TrialRecord, in_its_length, run_of
from raysweep.experiment.results import Row, leaderboard
from raysweep.report.clock import running_seconds
from raysweep.schema import Tree, flatten
from raysweep.search.budget import Budget
from raysweep.search.objective import Objective


@dataclass(frozen=True, eq=False)
class Contest:
    """One experiment."""

    name: str
    """As the page calls it: no other one there has it."""
    experiment: Experiment
    asked: SweepConfig
    sweep: SweepConfig
    """As asked, and as extended since."""
    objective: Objective
    ranked_by: str
    """The objective in words."""
    trials: Records
    confirmed: Sequence[Confirmed]
    budget: Budget
    events: Sequence[Event]
    recorded: Fingerprint | None
    """What it validates on and with; None: nothing is recorded."""
    mean_colour_psnr: float | None
    """dB, of predicting each validation frame's mean colour; None: not known."""
    is_driven: bool
    """Whether a driver is at work."""

    @cached_property
    def saved_steps(self) -> Mapping[str, int]:
        """By trial that was stopped early, as the budget counts them: those that it did not train."""
        account, found = Account(self.asked, self.objective), {}
        for event in self.events:
            before = account.budget.saved_steps
            account.learn(event)
            if (more := account.budget.saved_steps - before) > 0:
                found[event["trial"]] = more
        return found


@dataclass(frozen=True, eq=False)
class Entry:
    """One trial."""

    key: str
    """In links: no other trial on the page has it."""
    label: str
    """Its id, with its experiment's name where there are several."""
    contest: Contest
    record: TrialRecord
    row: Row
    place: int | None
    """1: the best of those that it compares with; None: without a score."""
    given: str
    """Who gave its settings; empty: the search found them."""
    run: RunConfig | None
    """None: its settings make no valid run."""
    seconds: float
    """It was at work."""
    gpus: float
    """It takes."""

    @cached_property
    def settings(self) -> Tree:
        """By dotted path, as text and numbers: all of the run's, or of one that is not valid what was asked."""
        if self.run is None:
            return dict(self.record.settings)
        return flatten(self.run.model_dump(mode="json"))

    @property
    def state(self) -> str:
        """As TrialRecord, or `interrupted`."""
        return self.record.state_while(self.contest.is_driven)

    @property
    def may_be_best(self) -> bool:
        """Whether it has a score, and is no finalist's repetition."""
        return self.place is not None and self.record.confirms is None

    @property
    def gan_from(self) -> int | None:
        """First step with a discriminator; None: there is none."""
        if self.run is None:
            return None
        return self.run.loss.gan_timing(self.run.training.steps).start


@dataclass(frozen=True, eq=False)
class Comparison:
    contests: Sequence[Contest]
    differences: Sequence[str]
    """Why scores of different experiments do not compare; none: they do."""
    entries: Sequence[Entry]
    """Best first; where experiments do not compare, one after another."""

    @property
    def groups(self) -> Sequence[Sequence[Contest]]:
        """Of experiments whose scores compare."""
        return [[contest] for contest in self.contests] if self.differences else [self.contests]

    def of(self, contest: Contest) -> list[Entry]:
        """Best first."""
        return [entry for entry in self.entries if entry.contest is contest]

    def best_of(self, entry: Entry) -> Entry | None:
        """The best trial of those that `entry` compares with."""
        return best(other for other in self.entries if self._compare(other, entry))

    def _compare(self, one: Entry, other: Entry) -> bool:
        return not self.differences or one.contest is other.contest


def best(entries: Iterable[Entry]) -> Entry | None:
    """Of entries that are best first; None: none has a score."""
    return next((entry for entry in entries if entry.may_be_best), None)


def by_place(entries: Iterable[Entry]) -> list[Entry]:
    """Best first, where experiments do not compare too: first the best of each; those without a score last."""
    return sorted(entries, key=lambda entry: entry.place or inf)


def compare(contests: Sequence[Contest]) -> Comparison:
    apart = differences(contests)
    groups = [[contest] for contest in contests] if apart else [contests]
    ranked = [entry for group in groups for entry in _ranked(group, contests)]
    return Comparison(contests, apart, ranked)


def differences(contests: Sequence[Contest]) -> list[str]:
    """Each a sentence."""
    first, *others = contests
    return [
        f"{first.name} and {other.name} {why}." for other in others for why in _apart(first, other)
    ]


def varied(entries: Sequence[Entry]) -> list[str]:
    """The settings, by dotted path, that are not the same in all; searched ones first."""
    values: dict[str, set[str]] = {}
    settings = [entry.settings for entry in entries]
    for tree in settings:
        for path, value in tree.items():
            values.setdefault(path, set()).add(repr(value))
    everywhere = set.intersection(*(set(tree) for tree in settings)) if settings else set()
    differ = [path for path in values if len(values[path]) > 1 or path not in everywhere]
    searched = {path: None for entry in entries for path in entry.record.settings}
    return sorted(differ, key=lambda path: path not in searched)


def _apart(one: Contest, other: Contest) -> Iterable[str]:
    if one.objective != other.objective:
        yield f"rank by different things: {one.ranked_by}, and {other.ranked_by}"
    if one.recorded is None or other.recorded is None:
        yield "may have validated on different frames: not both recorded theirs"
        return
    if not compares(one.recorded, other.recorded, ()):
        yield "validated on different frames"
        return
    for metric in dict.fromkeys((*one.objective.metrics, *other.objective.metrics)):
        if not compares(one.recorded, other.recorded, (metric,)):
            yield f"measured {metric} with different networks"


def _ranked(group: Sequence[Contest], all_contests: Sequence[Contest]) -> list[Entry]:
    """Best first."""
    ours = {
        f"{all_contests.index(contest)}-{record.trial}": (contest, record)
        for contest in group
        for record in contest.trials.values()
    }
    records = [replace(record, trial=key) for key, (_, record) in ours.items()]
    rows = leaderboard(records, group[0].objective)
    facts = {contest.name: _Facts(contest) for contest in group}
    entries = []
    for place, row in enumerate(rows, 1):
        contest, record = ours[row.trial]
        own, known = replace(row, trial=record.trial), facts[contest.name]
        label = record.trial if len(all_contests) == 1 else f"{contest.name}/{record.trial}"
        entries.append(known.entry(row.trial, label, record, own, place))
    return entries


class _Facts:
    """Of one experiment, what its trials' entries need."""

    def __init__(self, contest: Contest) -> None:
        self.contest = contest
        self.seconds = running_seconds(contest.events)
        proposed = [event for event in contest.events if event["kind"] == "proposed"]
        self.gpus: Mapping[str, float] = {it["trial"]: it.get("gpus", 0.0) for it in proposed}
        searched = [record.trial for record in contest.trials.values() if record.is_searched]
        self.points = dict(zip(searched, range(1, len(contest.sweep.points) + 1), strict=False))

    def entry(self, key: str, label: str, record: TrialRecord, row: Row, place: int) -> Entry:
        return Entry(
            key=key,
            label=label,
            contest=self.contest,
            record=record,
            row=row,
            place=None if row.best_step is None else place,
            given=self._given(record),
            run=self._run(record),
            seconds=self.seconds.get(record.trial, 0.0),
            gpus=self.gpus.get(record.trial, 0.0),
        )

    def _given(self, record: TrialRecord) -> str:
        if record.trial in self.points:
            return f"point {self.points[record.trial]}"
        return "" if record.is_searched else record.origin

    def _run(self, record: TrialRecord) -> RunConfig | None:
        try:
            return in_its_length(run_of(self.contest.sweep, record), record)
        except ConfigError:
            return None


def metrics_of(entries: Sequence[Entry]) -> list[str]:
    """What validations gave (`val/psnr`), the objectives' first."""
    ranking = [name for entry in entries for name in entry.contest.objective.metrics]
    found: dict[str, Any] = dict.fromkeys(ranking)
    for entry in entries:
        found |= dict.fromkeys(entry.row.metrics)
    measured = {name for entry in entries for name in entry.row.metrics}
    return [name for name in found if name in measured and name.startswith("val/")]
