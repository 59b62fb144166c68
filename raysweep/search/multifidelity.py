"""Proposals by what all trials have shown so far, those that were stopped, are paused or still run included.

`surrogate.py` says what settings would come to at the last step, from the scores at whatever steps were reached.
Proposed is what is expected to improve most on the best known (expected improvement, Jones et al. 1998, "Efficient
Global Optimization of Expensive Black-Box Functions"). Trials that are not over count as if they had ended with what
is expected of them (the Kriging believer of Ginsbourger et al. 2010, "Kriging Is Well-Suited to Parallelize
Optimization"), so that several at once look in different places; those that failed, with what a bad one ends with.

A proposal is a function of the seed and the history.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from scipy.special import ndtr

from raysweep.search.axes import Array, Cube
from raysweep.search.observed import data_of
from raysweep.search.surrogate import Surrogate, fit

MOST_TRIALS = 300
"""Of a longer history: all that are not over, half as many of the best, and the latest."""
ANYWHERE, NEAR, CLOSER = 1000, 400, 100
"""Points that are looked at: random ones; around the best trials; around the best points, in each round."""
CENTRES, BEST_POINTS = 8, 4
NEAR_STEP, CLOSER_STEPS = 0.1, (0.05, 0.02)
"""Standard deviations, in parts of a number's range."""
MOVED, REDRAWN = 0.5, 0.15
"""Shares of the numbers that a neighbour has changed, and of its choices."""

BAD = 0.25
"""Share of the trials that are expected to end worse than a failed one counts for. Lower would blur what is good
nearby, since now and then any trial fails."""


class MultifidelitySampler(BaseSampler):
    def __init__(self, seed: int, startup_trials: int) -> None:
        """`startup_trials`: how many must have a score before the model has a say; before, draws are random."""
        self.random = np.random.default_rng(seed)
        self.startup_trials = startup_trials
        self.unmodelled = RandomSampler(seed)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        history = _history(study, trial)
        scored = [one.state for one in history if one.intermediate_values]
        all_failed = set(scored) <= {TrialState.FAIL}
        has_a_say = len(scored) >= self.startup_trials and not all_failed
        return Cube(history).distributions if has_a_say else {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space:
            return {}
        history = _history(study, trial)
        cube = Cube(history)
        return cube.settings(_Promise(cube, history).best_point(self.random))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        return self.unmodelled.sample_independent(study, trial, name, distribution)


def _history(study: Study, trial: FrozenTrial) -> list[FrozenTrial]:
    known = [one for one in study.get_trials(deepcopy=False) if one.number != trial.number]
    if len(known) <= MOST_TRIALS:
        return known
    is_open = {one.number for one in known if one.state is TrialState.RUNNING}
    ended = [one for one in known if one.state is TrialState.COMPLETE]
    best = sorted(ended, key=lambda one: one.values[0])[-MOST_TRIALS // 2 :]
    kept = is_open | {one.number for one in best}
    latest = [one.number for one in known if one.number not in kept][len(kept) - MOST_TRIALS :]
    return [one for one in known if one.number in kept.union(latest)]


class _Promise:
    """What is to be gained where."""

    def __init__(self, cube: Cube, history: Sequence[FrozenTrial]) -> None:
        self.cube, self.columns = cube, cube.columns(cube.points)
        has_failed, is_open = (
            np.array([trial.state is state for trial in history])
            for state in (TrialState.FAIL, TrialState.RUNNING)
        )
        data = data_of(cube, history)
        sizes = fit(data)
        expected = Surrogate(data, sizes).at_end(self.columns).mean
        ends = np.where(has_failed, np.quantile(expected[~has_failed], BAD), expected)
        unknown = np.flatnonzero(has_failed | is_open)
        self.model = Surrogate(data.with_ends(unknown, ends[unknown]), sizes)
        self.means = np.where(has_failed, -np.inf, expected)

    def best_point(self, random: np.random.Generator) -> Array:
        """Of many at random and near the best trials, and then closer and closer to the best of them."""
        leaders = self.cube.points[self.means.argsort()[-CENTRES:]]
        anywhere = self.cube.valid(random.random((ANYWHERE, len(self.cube.axes))))
        points = np.concatenate([anywhere, neighbours(self.cube, leaders, NEAR, NEAR_STEP, random)])
        gains = self.gain(points)
        for step in CLOSER_STEPS:
            best = points[gains.argsort()[-BEST_POINTS:]]
            closer = neighbours(self.cube, best, CLOSER, step, random)
            points = np.concatenate([points, closer])
            gains = np.concatenate([gains, self.gain(closer)])
        return np.asarray(points[gains.argmax()])

    def gain(self, points: Array) -> Array:
        """Less than any where a trial was."""
        columns = self.cube.columns(points)
        was_tried = (self.model.alike(columns, self.columns) > 1 - 1e-9).any(1)
        gain = expected_improvement(self.model, columns, self.means.max())
        return np.where(was_tried, -1.0, gain)


def expected_improvement(model: Surrogate, columns: Array, best: float) -> Array:
    at_end = model.at_end(columns)
    z = (at_end.mean - best) / at_end.deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray(at_end.deviation * (z * ndtr(z) + density))


def neighbours(
    cube: Cube, centres: Array, count: int, step: float, random: np.random.Generator
) -> Array:
    """Each near one of the centres: some numbers are moved, and now and then a choice is made anew."""
    around = centres[random.integers(len(centres), size=count)]
    is_choice = np.array([axis.is_choice for axis in cube.axes])
    chance, drawn = random.random((2, *around.shape))
    moved = around + step * random.normal(size=around.shape)
    is_redrawn = np.isnan(around) | (is_choice & (chance < REDRAWN))
    is_moved = ~is_choice & (chance < MOVED)
    near = np.where(is_redrawn, drawn, np.where(is_moved, np.clip(moved, 0, 1), around))
    return cube.valid(near)
