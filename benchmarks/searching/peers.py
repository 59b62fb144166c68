"""Other searches, each driven as its own documentation does."""

import logging
import warnings
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.trial import TrialState
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from searching.curves import STEPS, VALIDATE_EVERY, VALIDATIONS, World
from searching.play import Asked
from searching.space import Draw

optuna.logging.set_verbosity(optuna.logging.WARNING)
logging.getLogger("ray.tune.search.optuna.optuna_search").setLevel(logging.ERROR)  # "NaN" each time


class Random:
    """Random trials, each to its end."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.trials = world, 0
        self.random = np.random.default_rng([seed, 2])

    def propose(self) -> Asked:
        draw = Draw(self.random)
        self.world.kind.space(draw)
        self.trials += 1
        return Asked(str(self.trials), draw.settings)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        return True

    def end(self, trial: str) -> None:
        pass


class Stock:
    """Ray Tune's OptunaSearch and AsyncHyperBandScheduler as they come, called in the order in which
    `TuneController._process_trial_result` and `stop_trial` call them.

    Tune asks for the next trial when a worker is free (with `max_concurrent_trials`).
    """

    def __init__(self, world: World, seed: int) -> None:
        metric, mode = world.kind.metric, world.kind.direction
        self.searcher = OptunaSearch(world.kind.space, metric=metric, mode=mode, seed=seed)
        self.scheduler = AsyncHyperBandScheduler(
            time_attr="step", metric=metric, mode=mode, max_t=STEPS, grace_period=VALIDATE_EVERY
        )
        self.trials = 0

    def propose(self) -> Asked:
        self.trials += 1
        trial = str(self.trials)
        settings = self.searcher.suggest(trial)
        self.scheduler.on_trial_add(None, _tune_trial(trial))
        return Asked(trial, settings)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        result = {**metrics, "step": step, "training_iteration": step // VALIDATE_EVERY}
        with warnings.catch_warnings():  # of a rung that holds nothing but NaN
            warnings.simplefilter("ignore", RuntimeWarning)
            decision = self.scheduler.on_trial_result(None, _tune_trial(trial), result)
        if decision == TrialScheduler.CONTINUE:
            self.searcher.on_trial_result(trial, result)
            return True
        # At its last step too, by max_t: what Tune does when a trial is done.
        self.scheduler.on_trial_complete(None, _tune_trial(trial), result)
        self.searcher.on_trial_complete(trial, result=result)
        return False

    def end(self, trial: str) -> None:
        pass


def _tune_trial(trial: str) -> Any:
    """All that the scheduler reads of a trial."""
    return SimpleNamespace(trial_id=trial)


class Pruned:
    """Optuna by ask and tell: TPE and one of its pruners, which count validations."""

    def __init__(self, pruner: Callable[[], BasePruner], world: World, seed: int) -> None:
        self.world, self.metric = world, world.kind.metric
        direction = {"max": "maximize", "min": "minimize"}[world.kind.direction]
        sampler = TPESampler(seed=seed)
        # HyperbandPruner draws a trial's bracket by the study's name, which is random if not given
        self.study = optuna.create_study(
            study_name=str(seed), direction=direction, sampler=sampler, pruner=pruner()
        )
        self.running: dict[str, optuna.Trial] = {}

    def propose(self) -> Asked:
        trial = self.study.ask()
        self.world.kind.space(trial)
        self.running[str(trial.number)] = trial
        return Asked(str(trial.number), trial.params)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        running, value = self.running[trial], metrics[self.metric]
        running.report(value, step // VALIDATE_EVERY)
        if step == STEPS:
            failed = np.isnan(value)
            state = TrialState.FAIL if failed else TrialState.COMPLETE
            self.study.tell(running, None if failed else value, state=state)
        elif running.should_prune():
            self.study.tell(running, state=TrialState.PRUNED)
            return False
        return True

    def end(self, trial: str) -> None:
        del self.running[trial]


def hyperband() -> BasePruner:
    return HyperbandPruner(min_resource=1, max_resource=VALIDATIONS)


def halving() -> BasePruner:
    return SuccessiveHalvingPruner(min_resource=1)


PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "median": MedianPruner,
    "hyperband": hyperband,
    "halving": halving,
}
