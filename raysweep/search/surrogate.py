"""A Gaussian process over settings and steps: what trials that were stopped, or still run, say about the end.

A score of settings x at step t is modelled as

    y(x, t) = c + g(x) + sum_b phi_b(t) (c_b + d_b(x)) + u_trial + noise

g is the score at the last step. Each phi_b is a known shape that is 0 there, such as the power law of what is still to
be learned, and d_b says how much of it these settings have (the additive multi-fidelity model of Kennedy & O'Hagan
2000, "Predicting the Output from a Complex Computer Code When Fast Approximations Are Available"; the shapes stand
for the curve kernel of Swersky et al. 2014, "Freeze-Thaw Bayesian Optimization"). So an early score counts for as
much as the shapes let it. Who was stopped was stopped by scores that are among the data, hence there is no bias from
looking at survivors.

g and all d_b share one Matern 5/2 kernel with a length scale for each setting. What is fitted is fitted by the
maximum of the posterior (Rasmussen & Williams 2006, "Gaussian Processes for Machine Learning", 5.4.1).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

Array = NDArray[np.float64]

COMMON = 10.0
"""Variance of c and each c_b: what all trials have in common is known too little to matter."""
JITTER = 1e-6
FIT_SCORES, FIT_ITERATIONS = 150, 12
"""Sizes are fitted to so many scores at most: a fit takes longer with the cube of their number."""


class Data(NamedTuple):
    """N scores of T trials. C columns describe settings, whose squared differences a length scale divides."""

    columns_TC: Array
    axis_of_column_C: NDArray[np.int_]
    """Columns of the same axis share a length scale."""
    trial_N: NDArray[np.int_]
    shapes_NB: Array
    """phi_b at the score's step."""
    scores_N: Array
    """Higher is better; in units of about a standard deviation."""

    def with_ends(self, trials: NDArray[np.int_], scores: Array) -> "Data":
        """As if these trials had come to their last step with such scores."""
        at_end = np.zeros((len(trials), self.shapes_NB.shape[1]))
        return self._replace(
            trial_N=np.concatenate([self.trial_N, trials]),
            shapes_NB=np.concatenate([self.shapes_NB, at_end]),
            scores_N=np.concatenate([self.scores_N, scores]),
        )


class Sizes(NamedTuple):
    """What is fitted, as logarithms."""

    lengths: Array
    """Of each axis, in parts of its range."""
    final: float
    """Variance of g."""
    shapes: Array
    """Of each d_b."""
    trial: float
    """Of what two trials with the same settings differ by, in all their scores."""
    noise: float

    @classmethod
    def read(cls, flat: Array, axes: int) -> "Sizes":
        return cls(flat[:axes], flat[axes], flat[axes + 1 : -2], flat[-2], flat[-1])


def _expected(axes: int, shapes: int) -> Array:
    """Centre of the prior; length scales grow with the number of axes (Hvarfner et al. 2024, "Vanilla Bayesian
    Optimization Performs Great in High Dimensions")."""
    lengths = np.full(axes, np.log(0.5 * np.sqrt(axes)))
    return np.array([*lengths, 0.0, *np.full(shapes, np.log(0.1)), np.log(0.01), np.log(0.01)])


def _spread(axes: int, shapes: int) -> Array:
    """Standard deviations of the prior."""
    return np.array([*np.full(axes, 1.0), 1.0, *np.full(shapes, 1.5), 1.0, 1.0])


@dataclass(frozen=True)
class Estimate:
    mean: Array
    deviation: Array


class Surrogate:
    """Fitted to some data."""

    def __init__(self, data: Data, sizes: Sizes) -> None:
        self.data, self.sizes = data, sizes
        self._scale_C = np.exp(-sizes.lengths)[data.axis_of_column_C]
        self._scaled_TC = data.columns_TC * self._scale_C
        matern_TT = matern(_squared(self._scaled_TC, self._scaled_TC))
        covariance, _ = _covariance(data, sizes, matern_TT)
        self._factor = cho_factor(covariance, lower=True)
        self._weights = cho_solve(self._factor, data.scores_N)

    def at_end(self, columns_MC: Array) -> Estimate:
        """What settings come to at the last step, without noise."""
        across = self._across(columns_MC)
        explained = solve_triangular(self._factor[0], across.T, lower=True)
        variance = np.exp(self.sizes.final) + COMMON - (explained**2).sum(0)
        return Estimate(across @ self._weights, np.sqrt(np.maximum(variance, 1e-12)))

    def alike(self, columns_MC: Array, others_KC: Array) -> Array:
        """(M, K): correlation of g between settings."""
        return matern(_squared(columns_MC * self._scale_C, others_KC * self._scale_C))

    def _across(self, columns_MC: Array) -> Array:
        """(M, N): covariance of ends with the data."""
        near_MT = matern(_squared(columns_MC * self._scale_C, self._scaled_TC))
        return np.asarray(np.exp(self.sizes.final) * near_MT[:, self.data.trial_N] + COMMON)


def fit(data: Data) -> Sizes:
    """From the prior's centre, a few steps uphill."""
    data = _thinned(data)
    axes, shapes = data.axis_of_column_C.max() + 1, data.shapes_NB.shape[1]
    centre, spread = _expected(axes, shapes), _spread(axes, shapes)
    differences = _squared_by_axis(data)

    def loss(flat: Array) -> tuple[float, Array]:
        value, slope = _misfit(data, Sizes.read(flat, axes), differences)
        away = (flat - centre) / spread
        return value + 0.5 * float(away @ away), slope + away / spread

    bounds = list(zip(centre - 4 * spread, centre + 4 * spread, strict=True))
    few = {"maxiter": FIT_ITERATIONS}
    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options=few)
    return Sizes.read(found.x, axes)


def _thinned(data: Data) -> Data:
    """Every so many of the scores."""
    kept = np.unique(np.linspace(0, len(data.scores_N) - 1, FIT_SCORES).astype(int))
    trials, renumbered = np.unique(data.trial_N[kept], return_inverse=True)
    return data._replace(
        columns_TC=data.columns_TC[trials],
        trial_N=renumbered,
        shapes_NB=data.shapes_NB[kept],
        scores_N=data.scores_N[kept],
    )


def matern(squared: Array) -> Array:
    """5/2, of squared distances."""
    root = np.sqrt(5 * squared)
    return np.asarray((1 + root + root**2 / 3) * np.exp(-root))


def _covariance(data: Data, sizes: Sizes, matern_TT: Array) -> tuple[Array, Array]:
    """(N, N), and what the kernel over settings is multiplied by in it."""
    near = matern_TT[np.ix_(data.trial_N, data.trial_N)]
    shapes = data.shapes_NB
    amplitude = np.exp(sizes.final) + (shapes * np.exp(sizes.shapes)) @ shapes.T
    same = data.trial_N[:, None] == data.trial_N
    covariance = amplitude * near + COMMON * (1 + shapes @ shapes.T) + np.exp(sizes.trial) * same
    covariance[np.diag_indices_from(covariance)] += np.exp(sizes.noise) + JITTER
    return covariance, amplitude


def _misfit(data: Data, sizes: Sizes, differences: Array) -> tuple[float, Array]:
    """Negative log likelihood and its slope."""
    root = np.sqrt(5 * np.tensordot(np.exp(-2 * sizes.lengths), differences, 1))
    decay = np.exp(-root)
    covariance, amplitude = _covariance(data, sizes, (1 + root + root**2 / 3) * decay)
    factor, _ = cho_factor(covariance, lower=True)
    lower, _ = dpotri(factor, lower=True)
    inverse = np.tril(lower) + np.tril(lower, -1).T
    weights = inverse @ data.scores_N
    value = 0.5 * float(data.scores_N @ weights) + float(np.log(np.diag(factor)).sum())
    slope = 0.5 * (inverse - np.outer(weights, weights))
    by_trial = _by_trial(data, slope * amplitude) * (5 / 3) * (1 + root) * decay
    by_length = np.tensordot(differences, by_trial, 2) * np.exp(-2 * sizes.lengths)
    near = ((1 + root + root**2 / 3) * decay)[np.ix_(data.trial_N, data.trial_N)] * slope
    by_shape = np.einsum("ib,ij,jb->b", data.shapes_NB, near, data.shapes_NB, optimize=True)
    same = data.trial_N[:, None] == data.trial_N
    by_rest = np.array([slope[same].sum(), np.trace(slope)]) * np.exp([sizes.trial, sizes.noise])
    slopes = [*by_length, np.exp(sizes.final) * near.sum(), *by_shape * np.exp(sizes.shapes)]
    return value, np.array([*slopes, *by_rest])


def _by_trial(data: Data, values_NN: Array) -> Array:
    """(T, T): sums over the scores of each two trials."""
    member = np.eye(len(data.columns_TC))[data.trial_N]
    return np.asarray(member.T @ values_NN @ member)


def _squared(a_MC: Array, b_NC: Array) -> Array:
    """(M, N): squared distances."""
    lengths = (a_MC**2).sum(1)[:, None] + (b_NC**2).sum(1)
    return np.maximum(lengths - 2 * a_MC @ b_NC.T, 0)


def _squared_by_axis(data: Data) -> Array:
    """(axes, T, T)"""
    apart = (data.columns_TC[:, None] - data.columns_TC[None]) ** 2
    axes = data.axis_of_column_C.max() + 1
    return np.stack([apart[..., data.axis_of_column_C == axis].sum(-1) for axis in range(axes)])
