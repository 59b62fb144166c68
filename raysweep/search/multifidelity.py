"""Proposes by what all trials have shown so far, those that were stopped, paused or still run included.

`surrogate.py` says what settings would come to at the last step, from the scores at whatever steps were reached.
Proposed is what is expected to improve most on the best known (expected improvement, Jones et al. 1998, "Efficient
Global Optimization of Expensive Black-Box Functions"), times its chance not to diverge. Running trials count as if they
had ended with what is expected of them (the Kriging believer of Ginsbourger et al. 2010, "Kriging Is Well-Suited to
Parallelize Optimization"), which makes several at once look in different places.

A proposal is a function of the seed and the history.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from scipy.special import ndtr

from raysweep.search.axes import Array, Cube
from raysweep.search.surrogate import Data, Surrogate, fit

MOST_SCORES = 300
"""Beyond which older and worse trials are left out."""
HALVINGS = 4
"""Of a trial, the latest score counts, and those at 1/2, 1/4, ... of the last step, so many at most."""
FORGET = 0.1
"""Of a run: time constant in which the discriminator's first upset is over."""
CLIP = 2.0
"""Standard deviations below the median from which on bad scores differ by less and less."""
RANDOM, NEAR, CENTRES = 1000, 400, 8


class Reached(NamedTuple):
    trial: int
    """Place in the history."""
    share: float
    """Of the steps of a whole run."""
    score: float
    shapes: tuple[float, ...]


class MultifidelitySampler(BaseSampler):
    def __init__(self, seed: int, startup_trials: int) -> None:
        self.random = np.random.default_rng(seed)
        self.startup_trials = startup_trials
        self.unmodelled = RandomSampler(seed)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        history = known(study, trial)
        scored = [one for one in history if one.intermediate_values]
        return Cube(history).distributions if len(scored) >= self.startup_trials else {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space:
            return {}
        history = known(study, trial)
        cube = Cube(history)
        return cube.settings(_best_point(cube, history, self.random))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        return self.unmodelled.sample_independent(study, trial, name, distribution)


def known(study: Study, trial: FrozenTrial) -> list[FrozenTrial]:
    return [one for one in study.get_trials(deepcopy=False) if one.number != trial.number]


def _best_point(cube: Cube, history: Sequence[FrozenTrial], random: np.random.Generator) -> Array:
    model = _model(cube, history)
    columns = cube.columns(cube.points)
    means = model.at_end(columns).mean
    has_failed = np.array([trial.state is TrialState.FAIL for trial in history])
    best = means[~has_failed].max()

    def gain(points: Array) -> Array:
        there = cube.columns(points)
        value = expected_improvement(model, there, best) * survival(model, there, columns, has_failed)
        value[(model.alike(there, columns) > 1 - 1e-9).any(1)] = -1.0
        return value

    order = np.argsort(np.where(has_failed, -np.inf, means))[::-1][:CENTRES]
    points = np.concatenate([
        cube.valid(random.random((RANDOM, len(cube.axes)))),
        neighbours(cube, cube.points[order], NEAR, 0.1, random),
    ])
    values = gain(points)
    for scale in (0.05, 0.02):
        top = points[np.argsort(values)[::-1][:4]]
        more = neighbours(cube, top, 100, scale, random)
        points, values = np.concatenate([points, more]), np.concatenate([values, gain(more)])
    return points[values.argmax()]


def neighbours(cube: Cube, centres: Array, count: int, scale: float, random: np.random.Generator) -> Array:
    around = centres[random.integers(len(centres), size=count)]
    anew = random.random(around.shape)
    moved = around + scale * random.normal(size=around.shape)
    moved = np.where(random.random(around.shape) < 0.5, around, np.clip(moved, 0, 1))
    is_choice = np.array([axis.is_choice for axis in cube.axes])
    moved = np.where(is_choice, around, moved)
    # a choice keeps its place, or is drawn anew; so is what the centre does not have
    again = np.isnan(moved) | (is_choice & (random.random(around.shape) < 0.15))
    return cube.valid(np.where(again, anew, moved))


def expected_improvement(model: Surrogate, columns: Array, best: float) -> Array:
    at_end = model.at_end(columns)
    z = (at_end.mean - best) / at_end.deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray(at_end.deviation * (z * ndtr(z) + density))


def survival(model: Surrogate, columns: Array, tried: Array, has_failed: NDArray[np.bool_]) -> Array:
    """Chance not to fail: a share of the trials nearby, and one good one everywhere."""
    alike = model.alike(columns, tried) ** 4
    return np.asarray((1 + alike @ ~has_failed) / (1 + alike.sum(1)))


def _model(cube: Cube, history: Sequence[FrozenTrial]) -> Surrogate:
    reached = _all_reached(history)
    columns = cube.columns(cube.points)
    scores = standardized(reached)
    data = Data(
        columns,
        cube.axis_of_column,
        np.array([one.trial for one in reached]),
        np.array([one.shapes for one in reached]),
        scores,
    )
    sizes = fit(data)
    model = Surrogate(data, sizes)
    open_ones = [n for n, trial in enumerate(history) if trial.state is TrialState.RUNNING]
    if not open_ones:
        return model
    believed = model.at_end(columns[open_ones]).mean
    shapes = np.zeros((len(open_ones), data.shapes_NB.shape[1]))
    return Surrogate(
        data._replace(
            trial_N=np.concatenate([data.trial_N, open_ones]),
            shapes_NB=np.concatenate([data.shapes_NB, shapes]),
            scores_N=np.concatenate([scores, believed]),
        ),
        sizes,
    )


def _all_reached(history: Sequence[FrozenTrial]) -> list[Reached]:
    last = max(max(trial.intermediate_values, default=0) for trial in history)
    found: list[Reached] = []
    for number, trial in enumerate(history):
        steps = sorted(trial.intermediate_values)
        last_step = trial.user_attrs.get("last_step", last)
        kept = {steps[-1]} if steps else set()
        for halving in range(1, HALVINGS + 1):
            kept |= {max([s for s in steps if s <= last_step / 2**halving], default=None)} - {None}
        gan_from = trial.user_attrs.get("gan_from")
        for step in sorted(kept):
            found.append(
                Reached(
                    number,
                    step / last_step,
                    trial.intermediate_values[step],
                    shapes(step / last_step, None if gan_from is None else gan_from / last_step),
                )
            )
    return found


def shapes(share: float, gan_from: float | None) -> tuple[float, ...]:
    """What is still to come, in four ways, each 0 at the end: by power law and logarithm, as long as there is no
    discriminator, and while it is new. Times are shares of the whole run."""
    start = 2.0 if gan_from is None else gan_from
    return (
        share**-0.5 - 1,
        -float(np.log(share)),
        float(share <= start) - float(1 <= start),
        _upset(share, start) - _upset(1.0, start),
    )


def _upset(share: float, start: float) -> float:
    return float(np.exp(-(share - start) / FORGET)) if share > start else 0.0


def standardized(reached: Sequence[Reached]) -> Array:
    """In units of what trials at the same step differ by, from the median of the latest; what is far below is
    drawn near."""
    scores = np.array([one.score for one in reached])
    shares = np.array([one.share for one in reached])
    medians = np.array([np.median(scores[shares == share]) for share in shares])
    away = scores - medians
    scale = 1.5 * np.median(np.abs(away[away != 0])) if (away != 0).any() else 1.0
    away = away / scale
    low = np.minimum(away + CLIP, 0)
    away = np.maximum(away, -CLIP) - np.log1p(-low)
    middle = np.median(scores[shares == shares.max()])
    return np.asarray(away + (medians - middle) / scale)
