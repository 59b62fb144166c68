"""What to try next: an Optuna study that lives in memory and is rebuilt by replaying events.

The sampler of trial n is seeded by (sweep seed, n), so the same history gives the same proposal.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState
from pydantic import Field

from raysweep.schema import Config, Tree
from raysweep.search.objective import Score

Space = Callable[[optuna.Trial], Mapping[str, Any] | None]
"""A search space: suggests under the settings' dotted paths, and may return further settings of its own."""


class SamplerConfig(Config):
    kind: Literal["tpe", "random"] = "tpe"
    """`tpe`: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; `random`: no model at all."""
    startup_trials: int = Field(default=8, ge=1)
    """Random proposals before the first modelled one (TPE)."""


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
    ) -> None:
        """`values`: how many a score has. `pinned`: settings by dotted path that overrule the space; it is told them where it suggests them,
        so that what it asks next goes with them."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.config, self.seed = space, config, seed
        self.pinned = dict(pinned or {})
        self.study = optuna.create_study(directions=["maximize"] * values, sampler=RandomSampler())
        self.running: dict[int, optuna.Trial] = {}
        self._last: dict[int, tuple[int, Score]] = {}
        """Step and score of each running trial's last report."""

    def propose(self, number: int, params: Mapping[str, Any] | None = None) -> tuple[Tree, Tree]:
        """Trial `number` -> (searched parameters, all settings of the trial) by dotted path; a pinned setting
        has its pinned value.

        With `params` those are taken instead of sampled, as when an event log is replayed.
        """
        self.study.sampler = self._sampler(number)
        if params:
            self.study.enqueue_trial(dict(params))
        trial = self.study.ask()
        with warnings.catch_warnings():
            # Lists among choices hinder Optuna's storages, and this has none.
            warnings.filterwarnings("ignore", "Choices for a categorical", UserWarning)
            extra = self.space(cast(optuna.Trial, _Told(trial, self.pinned))) or {}
        self.running[number] = trial
        settings = {**extra, **trial.params}
        return dict(trial.params), {
            path: self.pinned.get(path, settings[path]) for path in settings
        }

    def report(self, number: int, step: int, score: Score) -> None:
        self._last[number] = max(self._last.get(number, (step, score)), (step, score))
        if len(score.values) == 1:  # of several, Optuna keeps none before the end
            self.running[number].report(score.values[0], step)

    def tell(self, number: int, outcome: Literal["complete", "pruned", "failed"]) -> None:
        """The trial's last reported score is its value; a pruned one keeps its intermediate scores."""
        trial, last = self.running.pop(number), self._last.pop(number, None)
        if outcome == "complete" and last is not None:
            self.study.tell(trial, last[1].values)
        elif outcome == "pruned" and last is not None:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, state=TrialState.FAIL)

    def known(
        self,
        params: Mapping[str, Any],
        scores: Mapping[int, Score],
        outcome: Literal["complete", "pruned"],
    ) -> None:
        """Takes in a trial of another experiment, with its scores by step."""
        self.propose(EARLIER, params)
        for step in sorted(scores):
            self.report(EARLIER, step, scores[step])
        self.tell(EARLIER, outcome)

    def _sampler(self, number: int) -> BaseSampler:
        seed = (self.seed * 1_000_003 + number) % 2**32
        if self.config.kind == "random":
            return RandomSampler(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return TPESampler(
                seed=seed,
                n_startup_trials=self.config.startup_trials,
                multivariate=True,
                group=True,
                constant_liar=True,
            )


class _Told:
    """A trial that answers with the pinned value instead of its own suggestion, where that is a choice."""

    def __init__(self, trial: optuna.Trial, pinned: Mapping[str, Any]) -> None:
        self._trial, self._pinned = trial, pinned

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial, name)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        suggested = self._trial.suggest_categorical(name, choices)
        return self._pinned[name] if self._pinned.get(name) in choices else suggested

    def suggest_float(self, name: str, *bounds: float, **how: Any) -> Any:
        return self._pinned.get(name, self._trial.suggest_float(name, *bounds, **how))

    def suggest_int(self, name: str, *bounds: int, **how: Any) -> Any:
        return self._pinned.get(name, self._trial.suggest_int(name, *bounds, **how))
