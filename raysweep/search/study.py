"""What to try next: an Optuna study that lives in memory and is rebuilt by replaying events.

The sampler of trial n is seeded by (sweep seed, n), so the same history gives the same proposal.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState
from pydantic import Field

from raysweep.schema import Config, Tree

Space = Callable[[optuna.Trial], Mapping[str, Any] | None]
"""A search space: suggests under the settings' dotted paths, and may return further settings of its own."""


class SamplerConfig(Config):
    kind: Literal["tpe", "random"] = "tpe"
    startup_trials: int = Field(default=8, ge=1)
    """Random proposals before the first modelled one (TPE)."""


class Study:
    """Proposals for one objective whose scores are maximized."""

    def __init__(self, space: Space, config: SamplerConfig, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.config, self.seed = space, config, seed
        self.study = optuna.create_study(direction="maximize", sampler=RandomSampler())
        self.running: dict[int, optuna.Trial] = {}

    def propose(self, number: int, params: Mapping[str, Any] | None = None) -> tuple[Tree, Tree]:
        """Trial `number` -> (searched parameters, all settings of the trial) by dotted path.

        With `params` those are taken instead of sampled, as when an event log is replayed.
        """
        self.study.sampler = self._sampler(number)
        if params:
            self.study.enqueue_trial(dict(params))
        trial = self.study.ask()
        with (
            warnings.catch_warnings()
        ):  # lists among choices hinder Optuna's storages, and this has none
            warnings.filterwarnings("ignore", "Choices for a categorical", UserWarning)
            extra = self.space(trial) or {}
        self.running[number] = trial
        return dict(trial.params), {**extra, **trial.params}

    def report(self, number: int, step: int, score: float) -> None:
        self.running[number].report(score, step)

    def tell(self, number: int, outcome: Literal["complete", "pruned", "failed"]) -> None:
        """The trial's last reported score is its value; a pruned one keeps its intermediate scores."""
        trial = self.running.pop(number)
        scores = self.study.trials[trial.number].intermediate_values
        if outcome == "complete" and scores:
            self.study.tell(trial, scores[max(scores)])
        elif outcome == "pruned" and scores:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, state=TrialState.FAIL)

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
