"""What runs next: a trial that waits, a paused one that has earned it, a new one, a finalist with another seed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from raysweep.config import RunConfig
from raysweep.errors import UserError
from raysweep.experiment.confirmation import Entry, left_to_confirm
from raysweep.experiment.knowledge import Knowledge, Verdict
from raysweep.experiment.ledger import Ledger
from raysweep.experiment.records import FROM_SPACE, in_its_length, run_of


@dataclass(frozen=True)
class Proposal:
    trial: str
    config: RunConfig
    is_tested: bool = False
    """Whether it is scored on the test split at its end."""


class Proposer:
    """`resolve` puts in what a run's settings leave to the footage."""

    def __init__(
        self, known: Knowledge, ledger: Ledger, resolve: Callable[[RunConfig], RunConfig]
    ) -> None:
        self.known, self.ledger, self.resolve = known, ledger, resolve
        self.waiting: list[str] = []
        """Trials that are there and run next, in order."""
        self._looked_at = -1
        """`known.ends` when finalists were last chosen: of 10,000 trials that takes seconds."""

    @property
    def has_more(self) -> bool:
        """Whether `propose` may have a trial now."""
        if self.waiting or self.known.is_searching or self.known.promotable() is not None:
            return True
        return self.known.search_is_over and bool(self.left_to_confirm())

    def propose(self) -> Proposal | None:
        """Settings that make no valid run together are a failed trial, and the next one is taken."""
        return self._from_line() or self._search() or self._confirm()

    def add(self, settings: Mapping[str, Any], origin: str, request: str = "") -> str:
        """Puts a trial of given settings (dotted paths) in line, outside budget and search; returns its id."""
        run = None
        with suppress(UserError):  # which `propose` tells
            run = self.resolve(self.known.sweep.run_by_hand(settings))
        trial = self.ledger.propose(origin, {}, dict(settings), run, request)
        self.waiting.append(trial)
        return trial

    def _from_line(self) -> Proposal | None:
        """A trial that is there."""
        while (trial := self._next()) is not None:
            record = self.known.trials[trial]
            try:
                run = in_its_length(self.resolve(run_of(self.known.sweep, record)), record)
                return Proposal(trial, run, is_tested=record.confirms is not None)
            except UserError as error:
                self._refuse(trial, error)
        return None

    def _next(self) -> str | None:
        while self.waiting:
            record = self.known.trials[self.waiting.pop(0)]
            if not (record.is_searched and self.known.budget.cut):
                return record.trial
            self.ledger.halt(record.trial, self.known.cut_short(record))
        promoted = self.known.promotable()
        if promoted is not None:
            self.ledger.write("promoted", promoted)
        return promoted

    def _search(self) -> Proposal | None:
        """A new trial; paused ones are let go where there is to be none, and nothing else is left."""
        while self.known.is_searching:
            point = dict(enumerate(self.known.sweep.points)).get(self.known.budget.trials)
            suggestion = self.known.study.propose(len(self.known.trials), point)
            if suggestion is None:
                break
            try:
                run = self.resolve(self.known.sweep.run(suggestion.settings))
            except UserError as error:
                self._refuse(self.ledger.propose(FROM_SPACE, *suggestion), error)
            else:
                return Proposal(self.ledger.propose(FROM_SPACE, *suggestion, run), run)
        self._tell_exhausted()
        if self.known.search_is_over:
            self._dismiss_paused()
        return None

    def _refuse(self, trial: str, error: UserError) -> None:
        self.ledger.halt(trial, Verdict("failed", str(error)))

    def _tell_exhausted(self) -> None:
        if self.known.study.is_exhausted and not self.known.budget.is_exhausted:
            self.ledger.write_of_search("exhausted", settings=len(self.known.study.tried))

    def _confirm(self) -> Proposal | None:
        if self.known.search_is_over:
            for entry in self.left_to_confirm():
                self.add(entry.settings, entry.origin)
            self._looked_at = self.known.ends
        return self._from_line()

    def left_to_confirm(self) -> list[Entry]:
        if self._looked_at == self.known.ends:
            return []
        return left_to_confirm(self.known.sweep, self.known.trials, self.known.objective)

    def _dismiss_paused(self) -> None:
        for record in self.known.trials.values():
            if record.state == "paused":
                self.ledger.halt(record.trial, Verdict("stopped", record.reason))
