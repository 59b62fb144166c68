"""What the trials of a study have shown so far, as data for surrogate.py."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from optuna.trial import FrozenTrial

from raysweep.search.axes import Array, Cube
from raysweep.search.surrogate import Data

MOST_SCORES = 300
"""Beyond which the earlier scores of older trials are left out."""
HALVINGS = 4
"""Beside its latest score a trial's at 1/2, 1/4, ... of its last step count, so many."""
FORGET = 0.1
"""Of a run: time constant in which the upset by a new discriminator is over; three to ten hundredths were seen."""
CLIP = 2.0
"""Standard deviations below the median, from which on bad scores differ by less and less: how bad the bad ones
are must not blur how good the good ones are."""


class Reached(NamedTuple):
    trial: int
    """Place in the history."""
    is_latest: bool
    share: float
    """Of the whole run's steps."""
    score: float
    shapes: tuple[float, ...]
    """Of what is still to come, as surrogate.py has them."""


def data_of(cube: Cube, history: Sequence[FrozenTrial]) -> Data:
    """`cube`: of the same history, in which at least one trial has a score."""
    reached = sorted(_reached(history), key=lambda one: (one.is_latest, one.trial))[-MOST_SCORES:]
    return Data(
        columns_TC=cube.columns(cube.points),
        axis_of_column_C=cube.axis_of_column,
        trial_N=np.array([one.trial for one in reached]),
        shapes_NB=np.array([one.shapes for one in reached]),
        scores_N=standardized(reached),
    )


def shapes(share: float, gan_from: float | None) -> tuple[float, ...]:
    """What is still to come, in four ways: by a power law and by a logarithm; as long as there is no discriminator;
    and while it is new. Both times are shares of the whole run; None: it has no discriminator."""
    start = np.inf if gan_from is None else gan_from
    return (
        share**-0.5 - 1,
        -float(np.log(share)),
        float(share <= start) - float(start >= 1),
        _upset(share, start) - _upset(1.0, start),
    )


def standardized(reached: Sequence[Reached]) -> Array:
    """Scores in units of what trials differ by at the same step."""
    scores, shares = np.array([(one.score, one.share) for one in reached]).T
    reached_by, nth = np.unique(shares, return_inverse=True)
    medians = np.array([np.median(scores[shares == share]) for share in reached_by])[nth]
    apart = np.abs(scores - medians)
    unit = 1.5 * np.median(apart[apart > 0]) if apart.any() else 1.0
    away = (scores - medians) / unit
    beyond = np.maximum(-CLIP - away, 0)
    at_latest_step = np.median(scores[shares == shares.max()])
    return np.asarray(
        np.maximum(away, -CLIP) - np.log1p(beyond) + (medians - at_latest_step) / unit
    )


def _reached(history: Sequence[FrozenTrial]) -> Iterator[Reached]:
    furthest = max(max(trial.intermediate_values, default=0) for trial in history)
    for number, trial in enumerate(history):
        last_step = trial.user_attrs.get("last_step", furthest)
        gan_from = trial.user_attrs.get("gan_from")
        start = None if gan_from is None else gan_from / last_step
        for step in _looked_at(trial, last_step):
            share, score = step / last_step, trial.intermediate_values[step]
            is_latest = step == max(trial.intermediate_values)
            yield Reached(number, is_latest, share, score, shapes(share, start))


def _looked_at(trial: FrozenTrial, last_step: int) -> list[int]:
    """Steps at which it has scores: the latest, and the last ones before each halving."""
    limits = [last_step / 2**halving for halving in range(HALVINGS + 1)]
    before = [[step for step in trial.intermediate_values if step <= limit] for limit in limits]
    return sorted({max(steps) for steps in before if steps})


def _upset(share: float, start: float) -> float:
    return float(np.exp(-(share - start) / FORGET)) if share > start else 0.0
