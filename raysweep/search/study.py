"""What to try next: an Optuna study that lives in memory and is rebuilt by replaying events.

The sampler of trial n is seeded by (sweep seed, n), so the same history gives the same proposal. Optuna's own
`ask` would note each draw down as a trial; here a draw whose settings were tried before leaves no trace.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from raysweep.errors import ConfigError
from raysweep.schema import Tree
from raysweep.search import proposing
from raysweep.search.asking import Asked, Choose
from raysweep.search.objective import Score
from raysweep.search.samplers import SamplerConfig
from raysweep.search.schedulers import Course
from raysweep.search.tried import Tried, Untried, value_at

Space = Callable[[optuna.Trial], Mapping[str, Any] | None]
"""A search space: suggests under the settings' dotted paths, and may return further settings of its own."""
NAME = "search"
VIOLATION = "constraints:violation"
"""Where Optuna keeps what `Trial.set_constraint("violation", ...)` says."""


class Suggestion(NamedTuple):
    params: Tree
    """What the space asked for, by dotted path."""
    settings: Tree
    """All settings of the trial, those that the space returned too; a pinned one has its pinned value."""


EARLIER = -1
"""Stands for the number of a trial that another experiment ran."""


class Study:
    """Proposals for scores that are maximized."""

    def __init__(
        self,
        space: Space,
        config: SamplerConfig,
        seed: int,
        pinned: Mapping[str, Any] | None = None,
        values: int = 1,
        is_constrained: bool = False,
    ) -> None:
        """`pinned`: settings by dotted path that the space is told instead of its own suggestions.

        `values`: how many a score has; `is_constrained`: whether it can violate anything. ConfigError where the
        sampler cannot rank by so many.
        """
        config = config.chosen(values, is_constrained)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.config, self.seed, self.values = space, config, seed, values
        self.is_constrained = is_constrained and config.heeds_constraints
        self.pinned = dict(pinned or {})
        self.tried = Tried()
        self.storage = InMemoryStorage()
        self.study = optuna.create_study(
            storage=self.storage,
            study_name=NAME,
            directions=["maximize"] * values,
            sampler=RandomSampler(),
        )
        self._ids: dict[int, int] = {}
        """Trial number -> its id in the storage."""
        self._last: dict[int, tuple[int, Score]] = {}
        """Step and score of each running trial's last report."""

    @property
    def is_exhausted(self) -> bool:
        """Whether all settings that the space has were proposed."""
        return self.tried.is_exhausted

    def propose(self, number: int, params: Mapping[str, Any] | None = None) -> Suggestion | None:
        """Settings of trial `number` that no trial before it had, failed ones included; None where the space
        has no others.

        With `params` those are taken instead of sampled, as when an event log is replayed.
        """
        if params is None and self.is_exhausted:
            return None
        trial = self.storage.create_new_trial(self.storage.get_study_id_from_name(NAME))
        self._ids[number] = trial
        if params is None:
            asked, extra = self._draw(number, trial)
        else:
            asked, extra = self._recall(number, trial, params)
        self.tried.add(asked.choices)
        self._note_down(trial, asked)
        settings = {**extra, **asked.params}
        return Suggestion(
            asked.params, {path: self.pinned.get(path, settings[path]) for path in settings}
        )

    def enter(self, number: int, course: Course) -> None:
        """What is known of the trial before it starts."""
        for name, value in course._asdict().items():
            self.storage.set_trial_user_attr(self._ids[number], name, value)

    def report(self, number: int, step: int, score: Score) -> None:
        self._last[number] = max(self._last.get(number, (step, score)), (step, score))
        if self.values == 1:  # of several, Optuna keeps none before the end
            trial = self._ids[number]
            self.storage.set_trial_intermediate_value(trial, step, score.values[0])

    def tell(self, number: int, outcome: Literal["complete", "pruned", "failed"]) -> None:
        """The trial's last reported score is its value; a pruned one of several values has none, and samplers
        count it behind all that went to their end."""
        trial, (_, score) = self._ids[number], self._last.pop(number, (0, None))
        if outcome == "failed" or score is None:
            self.storage.set_trial_state_values(trial, TrialState.FAIL)
            return
        if self.is_constrained:
            self.storage.set_trial_system_attr(trial, VIOLATION, score.violation)
        if outcome == "complete":
            self.storage.set_trial_state_values(trial, TrialState.COMPLETE, score.values)
        else:
            values = score.values if self.values == 1 else None
            self.storage.set_trial_state_values(trial, TrialState.PRUNED, values)

    def trial(self, number: int) -> FrozenTrial:
        """As Optuna has it; not a copy."""
        return self.storage.get_trial(self._ids[number])

    def known(
        self,
        params: Mapping[str, Any],
        scores: Mapping[int, Score],
        outcome: Literal["complete", "pruned"],
        course: Course,
    ) -> None:
        """Takes in a trial of another experiment, with its scores by step."""
        self.propose(EARLIER, params)
        self.enter(EARLIER, course)
        for step in sorted(scores):
            self.report(EARLIER, step, scores[step])
        self.tell(EARLIER, outcome)

    def _draw(self, number: int, trial: int) -> tuple[Asked, Mapping[str, Any]]:
        """The first of a few draws that was not tried, or else anything that was not."""
        for attempt in range(self.config.attempts):
            asked, extra = self._ask(number, self._sampled(number, trial, attempt))
            if asked.choices not in self.tried:
                return asked, extra
        seed = self._seed_of(number)
        beyond = self._refuse if self.config.kind == "grid" else self._random(seed)
        return self._ask(number, Untried(self.tried, seed, beyond))

    def _recall(
        self, number: int, trial: int, params: Mapping[str, Any]
    ) -> tuple[Asked, Mapping[str, Any]]:
        if self.config.remembers:
            self._sampled(number, trial, attempt=0)

        def recall(name: str, distribution: BaseDistribution) -> Any:
            if name in params:
                return params[name]
            return self._random(self._seed_of(number))(name, distribution)

        return self._ask(number, recall)

    def _ask(self, number: int, choose: Choose) -> tuple[Asked, Mapping[str, Any]]:
        """What the space asked for, and the settings that it returned."""
        asked = Asked(number, choose, self.pinned)
        with warnings.catch_warnings():
            # Lists among choices hinder Optuna's storages, and this has none.
            warnings.filterwarnings("ignore", "Choices for a categorical", UserWarning)
            return asked, self.space(cast(optuna.Trial, asked)) or {}

    def _sampled(self, number: int, trial: int, attempt: int) -> Choose:
        """The sampler's choices, those that it makes together and those that it makes one by one."""
        sampler = proposing.sampler(self.config, self._seed_of(number, attempt))
        # A fresh view: Optuna's own keeps what it read of the trials at its last `ask`.
        view = optuna.load_study(study_name=NAME, storage=self.storage, sampler=sampler)
        frozen = self.storage.get_trial(trial)
        joint_space = sampler.infer_relative_search_space(view, frozen)
        joint = sampler.sample_relative(view, frozen, joint_space)
        self._forget_draw(trial)

        def choose(name: str, distribution: BaseDistribution) -> Any:
            if distribution.single():
                return value_at(distribution, 0)
            if name in joint and joint_space[name] == distribution:
                return joint[name]
            return sampler.sample_independent(view, frozen, name, distribution)

        return choose

    def _forget_draw(self, trial: int) -> None:
        """TPE and GP note down what they drew together for their fellow processes; here it would speak of
        parameters that a running trial does not have."""
        for key in self.storage.get_trial(trial).system_attrs:
            if ":relative_params:" in key:
                self.storage.set_trial_system_attr(trial, key, "")

    def _random(self, seed: int) -> Choose:
        sampler, trial = RandomSampler(seed), optuna.trial.create_trial(state=TrialState.RUNNING)

        def choose(name: str, distribution: BaseDistribution) -> Any:
            return sampler.sample_independent(self.study, trial, name, distribution)

        return choose

    def _refuse(self, name: str, distribution: BaseDistribution) -> Any:
        raise ConfigError(
            f"sampler.kind grid takes parameters with few values, and {name} has {distribution}. "
            "Give it a step, pin it with --set, or choose another sampler.kind."
        )

    def _note_down(self, trial: int, asked: Asked) -> None:
        for name, distribution in asked.distributions.items():
            internal = distribution.to_internal_repr(asked.params[name])
            self.storage.set_trial_param(trial, name, internal, distribution)

    def _seed_of(self, number: int, attempt: int = 0) -> int:
        return (self.seed * 1_000_003 + number + attempt * 500_000_003) % 2**32
