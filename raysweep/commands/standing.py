"""An experiment as it stands: what was asked, and what became of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from raysweep.config import SweepConfig, over, read_file
from raysweep.errors import ExperimentError
from raysweep.experiment.account import Account
from raysweep.experiment.confirmation import left_to_confirm
from raysweep.experiment.confirmed import Confirmed, confirmed
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import RETRAINS, Records, TrialRecord, confirming, ran_with
from raysweep.experiment.results import Row, best, leaderboard
from raysweep.objectives import objective
from raysweep.schema import Tree, parse
from raysweep.search.budget import Budget
from raysweep.search.objective import Objective


@dataclass(frozen=True)
class Standing:
    """Read from the experiment's files; a driver may be writing them."""

    experiment: Experiment
    sweep: SweepConfig
    """As asked, and as extended since."""
    objective: Objective
    trials: Records
    budget: Budget
    is_suspended: bool
    """Whether a person has paused it."""

    @property
    def leaderboard(self) -> list[Row]:
        return leaderboard(self.trials.values(), self.objective)

    @property
    def confirmed(self) -> list[Confirmed]:
        return confirmed(self.trials.values(), self.objective)

    @property
    def best(self) -> str:
        """Of the confirmed winner's seeds the one that validates best, since tests are to choose nothing twice;
        the first of the leaderboard where nothing is confirmed yet, or not all."""
        if self.confirmed and self._all_are_confirmed:
            seeds = confirming(self.trials.values())[self.confirmed[0].trial]
            tested = [record for record in seeds if record.tested]
            return best(leaderboard(tested, self.objective)).trial
        return best(
            row for row in self.leaderboard if self.trials[row.trial].confirms is None
        ).trial

    @property
    def _all_are_confirmed(self) -> bool:
        runs = any(record.is_open and record.confirms for record in self.trials.values())
        return not (runs or left_to_confirm(self.sweep, self.trials, self.objective))

    def trial(self, name: str) -> TrialRecord:
        """By its id, or `best`; ExperimentError where there is none."""
        trial = self.best if name == "best" else name
        if trial not in self.trials:
            raise ExperimentError(
                f"there is no trial {trial!r} in {self.experiment.where}. "
                f"Known: {', '.join(self.trials) or 'none yet'}."
            )
        return self.trials[trial]


class Added(NamedTuple):
    """A trial put in line by a person."""

    settings: Tree
    """Dotted paths, over the experiment's base."""
    origin: str


def as_asked(experiment: Experiment) -> SweepConfig:
    return parse(SweepConfig, read_file(experiment.sweep_file))


def standing(experiment: Experiment) -> Standing:
    sweep = as_asked(experiment)
    goal = objective(sweep.objective, sweep.constraints, sweep.run())
    account = Account(sweep, goal, read(experiment.events))
    return Standing(
        experiment, account.sweep, goal, account.trials, account.budget, account.is_suspended
    )


def further(now: Standing, trial: str, changes: Mapping[str, Any]) -> Added:
    """What `trial` (an id, or `best`) ran with, and `changes`."""
    record = now.trial(trial)
    return Added(over(ran_with(now.sweep, record), changes), f"{RETRAINS}{record.trial}")
