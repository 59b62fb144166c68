"""The sweep as an Optuna journal, for optuna-dashboard and Optuna's plots: derived from the events, never read.

A driver writes it anew when it starts, so nothing in it runs that does not, and appends while the sweep goes on.
Trials that were added by hand are in it too, without parameters: their settings are an attribute.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import Event
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import TrialRecord
from raysweep.schema import Tree

STATES = {
    "finished": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "diverged": TrialState.FAIL,
    "failed": TrialState.FAIL,
}
"""Of trials that ended; all others are RUNNING."""
WAYS = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}


class KeptJournal:
    """Hears every event of a conductor, whose past it writes first; `facts` are attributes of the study.

    A journal that cannot be written is told of once, and then left alone: the sweep does not need it.
    """

    def __init__(
        self,
        experiment: Experiment,
        conductor: Conductor,
        facts: Mapping[str, Any],
        tell: Callable[[str], None],
    ) -> None:
        self.experiment, self.tell = experiment, tell
        self._journal: Journal | None = None
        self._try(lambda: self._begin(conductor, facts))

    def __call__(self, event: Event, record: TrialRecord) -> None:
        if (journal := self._journal) is not None:
            self._try(lambda: journal.write(event, record))

    def close(self) -> None:
        if self._journal is not None:
            self._journal.file.close()

    def _begin(self, conductor: Conductor, facts: Mapping[str, Any]) -> None:
        partial = self.experiment.journal.with_suffix(".partial")
        self._journal = Journal(_Appended(partial), self.experiment, conductor, facts)
        partial.replace(self.experiment.journal)

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self.close()
            self._journal = None
            self.tell(
                f"{self.experiment.journal} cannot be written: {error.strerror}. The sweep goes on without it, "
                "and `raysweep resume` makes it again."
            )


class Journal:
    """Raises OSError where `file` cannot be written."""

    def __init__(
        self,
        file: "_Appended",
        experiment: Experiment,
        conductor: Conductor,
        facts: Mapping[str, Any],
    ) -> None:
        self.file, self.experiment, self.conductor = file, experiment, conductor
        self.objective = conductor.objective
        self._storage = JournalStorage(file)
        self._study = self._create_study(facts)
        self._ids: dict[str, int] = {}
        """Our trial id -> its id in the journal."""
        for record in conductor.trials.values():
            self._add(record)

    def write(self, event: Event, record: TrialRecord) -> None:
        if event["kind"] == "proposed":
            self._add(record)
        elif event["kind"] == "report":
            for step, value in self._curve({event["step"]: event["metrics"]}).items():
                self._storage.set_trial_intermediate_value(self._ids[record.trial], step, value)
        else:
            self._update(record)

    def _create_study(self, facts: Mapping[str, Any]) -> int:
        name = self.experiment.folder.name
        ways = {goal.metric: WAYS[goal.direction] for goal in self.objective.goals}
        if self.objective.weights:
            ways = {"score": StudyDirection.MAXIMIZE}
        study = optuna.create_study(
            storage=self._storage, study_name=name, directions=list(ways.values())
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(ways))
        for fact, value in facts.items():
            study.set_user_attr(fact, value)
        return self._storage.get_study_id_from_name(name)

    def _add(self, record: TrialRecord) -> None:
        self._ids[record.trial] = self._storage.create_new_trial(self._study, self._frozen(record))

    def _update(self, record: TrialRecord) -> None:
        trial, outcome = self._ids[record.trial], self._outcome(record)
        for name, value in self._attributes(record).items():
            self._storage.set_trial_user_attr(trial, name, value)
        for name, violations in outcome.constraints.items():
            self._storage.set_trial_system_attr(trial, name, violations)
        if outcome.state.is_finished():
            self._storage.set_trial_state_values(trial, outcome.state, outcome.values)

    def _frozen(self, record: TrialRecord) -> FrozenTrial:
        """The trial as it stands."""
        outcome = self._outcome(record)
        params, distributions = self._asked(record)
        return FrozenTrial(
            number=-1,  # the storage gives both
            trial_id=-1,
            state=outcome.state,
            value=None,
            values=outcome.values,
            datetime_start=datetime.fromtimestamp(record.started) if record.started else None,
            datetime_complete=datetime.fromtimestamp(record.ended) if record.ended else None,
            params=params,
            distributions=distributions,
            user_attrs=self._attributes(record),
            system_attrs=outcome.constraints,
            intermediate_values=self._curve(record.reports),
        )

    def _asked(self, record: TrialRecord) -> tuple[Tree, dict[str, BaseDistribution]]:
        """Parameters and their distributions; lists among choices as text, since no storage takes them."""
        if not record.is_searched:
            return {}, {}
        asked = self.conductor.study.trial(int(record.trial))
        params = {name: _as_text(value) for name, value in asked.params.items()}
        return params, {name: _of_text(it) for name, it in asked.distributions.items()}

    def _attributes(self, record: TrialRecord) -> Tree:
        checkpoints = {
            f"best {goal.metric}": self.experiment.best_checkpoint(record.trial, goal.metric)
            for goal in self.objective.goals
        }
        known = {
            "trial": record.trial,
            "origin": record.origin,
            "state": record.state,
            "reason": record.reason,
            "ray trial": record.executed_as,
            "settings": {} if record.is_searched else record.settings,
            **{name: str(path) for name, path in checkpoints.items() if path.exists()},
        }
        return {name: value for name, value in known.items() if value}

    def _outcome(self, record: TrialRecord) -> "_Outcome":
        """As the study is told: an end without a score is a failure, and what was stopped has no value where
        there are several."""
        state = STATES.get(record.state, TrialState.RUNNING)
        scored = [step for step, it in record.reports.items() if self.objective.score(it)]
        if state is TrialState.RUNNING:
            return _Outcome(state, None, {})
        if state is TrialState.FAIL or not scored:
            return _Outcome(TrialState.FAIL, None, {})
        last = record.reports[max(scored)]
        is_valued = state is TrialState.COMPLETE or not self.objective.is_pareto
        return _Outcome(state, self._values(last) if is_valued else None, self._violations(last))

    def _curve(self, reports: Mapping[int, Mapping[str, float]]) -> dict[int, float]:
        """By step; of several values, Optuna keeps none before the end."""
        if self.objective.is_pareto:
            return {}
        values = {step: self._values(metrics) for step, metrics in reports.items()}
        return {step: value[0] for step, value in values.items() if value}

    def _values(self, metrics: Mapping[str, float]) -> list[float]:
        """In the metrics' own directions; nothing where a metric is missing."""
        score = self.objective.score(metrics)
        if score is None:
            return []
        if self.objective.weights:
            return list(score.values)
        return [metrics[goal.metric] for goal in self.objective.goals]

    def _violations(self, metrics: Mapping[str, float]) -> dict[str, list[float]]:
        """As an attribute, in the form that optuna-dashboard reads too."""
        kept = [constraint.violation(metrics) for constraint in self.objective.constraints]
        violations = [violation for violation in kept if violation is not None]
        return {"constraints": violations} if violations else {}


class _Outcome(NamedTuple):
    """What Optuna is told of a trial's end."""

    state: TrialState
    values: list[float] | None
    constraints: dict[str, list[float]]


def _of_text(distribution: BaseDistribution) -> BaseDistribution:
    match distribution:
        case CategoricalDistribution():
            return CategoricalDistribution([_as_text(choice) for choice in distribution.choices])
    return distribution


def _as_text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


class _Appended(BaseJournalBackend):
    """A file of one writer, which reads back only what it just wrote.

    It has neither Optuna's lock nor its sync to the disk at each line: a dashboard that was killed cannot hold the
    sweep up, and what a crash tears is written anew.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)  # closing it on a full disk is no further error
        self._unread: list[bytes] = []

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = [json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs]
        self._file.write(b"".join(lines))
        self._unread += lines

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        unread, self._unread = self._unread, []
        return map(json.loads, unread)

    def close(self) -> None:
        self._file.close()
