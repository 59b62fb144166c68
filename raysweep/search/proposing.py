"""The sampler that a configuration names: Optuna's, or our own.

Apart from the settings, since every training process reads those, and none proposes.
"""

import warnings
from collections.abc import Callable

import optuna
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)

from raysweep.search.samplers import SamplerConfig


def sampler(config: SamplerConfig, seed: int) -> BaseSampler:
    """Of one proposal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return BUILT[config.kind](config, seed)


def _random(config: SamplerConfig, seed: int) -> BaseSampler:
    return RandomSampler(seed)


def _tpe(config: SamplerConfig, seed: int) -> BaseSampler:
    return TPESampler(
        seed=seed,
        n_startup_trials=config.startup_trials,
        multivariate=True,
        group=True,
        constant_liar=True,
    )


def _multifidelity(config: SamplerConfig, seed: int) -> BaseSampler:
    from raysweep.search.multifidelity import MultifidelitySampler  # here: SciPy takes a second

    return MultifidelitySampler(seed, config.startup_trials)


def _gp(config: SamplerConfig, seed: int) -> BaseSampler:
    return GPSampler(
        seed=seed,
        n_startup_trials=config.startup_trials,
        independent_sampler=_tpe(config, seed),
        warn_independent_sampling=False,
    )


def _nsga2(config: SamplerConfig, seed: int) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=config.population)


def _cmaes(config: SamplerConfig, seed: int) -> BaseSampler:
    return CmaEsSampler(
        seed=seed,
        n_startup_trials=config.startup_trials,
        independent_sampler=_tpe(config, seed),
        warn_independent_sampling=False,
    )


BUILT: dict[str, Callable[[SamplerConfig, int], BaseSampler]] = {
    "multifidelity": _multifidelity,
    "tpe": _tpe,
    "gp": _gp,
    "nsga2": _nsga2,
    "cmaes": _cmaes,
    "random": _random,
    "grid": _random,
}
