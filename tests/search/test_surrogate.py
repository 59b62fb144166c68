"""The model of settings and steps: it goes through what it was shown, and its slopes are those of its loss."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from raysweep.search import surrogate
from raysweep.search.surrogate import Data, Sizes, Surrogate, fit


def data_of(columns_TC, trial_N, shape_N, scores_N) -> Data:
    columns_TC = np.asarray(columns_TC, dtype=float)
    axes = np.arange(columns_TC.shape[1])
    shapes_NB = np.asarray(shape_N, dtype=float)[:, None]
    return Data(columns_TC, axes, np.asarray(trial_N), shapes_NB, np.asarray(scores_N, dtype=float))


def wave(x_TC: np.ndarray) -> np.ndarray:
    return np.sin(4 * x_TC[:, 0])


def test_a_smooth_function_is_interpolated():
    x = np.linspace(0, 1, 12)[:, None]
    data = data_of(x, np.arange(12), np.zeros(12), wave(x))
    between = np.linspace(0.1, 0.9, 30)[:, None]
    told = Surrogate(data, fit(data)).at_end(between)
    assert told.mean == pytest.approx(wave(between), abs=0.1)
    assert (told.deviation < 0.2).all()


def test_little_is_known_far_from_any_trial():
    x = np.linspace(0, 0.3, 8)[:, None]
    model = fitted(data_of(x, np.arange(8), np.zeros(8), 3 * wave(x)))
    near, far = model.at_end(np.array([[0.15], [1.0]])).deviation
    assert far > 2 * near


def fitted(data: Data) -> Surrogate:
    return Surrogate(data, fit(data))


def test_who_was_stopped_early_is_judged_by_what_those_who_went_on_came_to():
    """All lose 2 from the end's score at an early step; half of them show only that."""
    random = np.random.default_rng(0)
    x = random.random((24, 1))
    early, late = np.arange(24), np.arange(0, 24, 2)
    scores = np.concatenate([wave(x) - 2, wave(x[late])])
    shape = np.concatenate([np.ones(24), np.zeros(12)])
    told = fitted(data_of(x, np.concatenate([early, late]), shape, scores)).at_end(x[1::2])
    assert told.mean == pytest.approx(wave(x[1::2]), abs=0.2)


def test_a_setting_that_does_not_matter_gets_the_longer_scale():
    x = np.random.default_rng(0).random((40, 2))
    sizes = fit(data_of(x, np.arange(40), np.zeros(40), wave(x)))
    assert sizes.lengths[1] > sizes.lengths[0] + 1


def test_slopes_are_those_of_the_loss():
    random = np.random.default_rng(0)
    data = data_of(
        random.random((6, 2)), [0, 0, 1, 2, 3, 4, 5, 5], random.random(8), random.random(8)
    )
    differences = surrogate._squared_by_axis(data)

    def part(which: int):
        return lambda flat: surrogate._misfit(data, Sizes.read(flat, 2), differences)[which]

    assert check_grad(part(0), part(1), 0.3 * random.normal(size=6)) < 1e-4


def test_more_scores_than_are_fitted_to_change_little():
    x = np.random.default_rng(0).random((400, 1))
    many = data_of(x, np.arange(400), np.zeros(400), wave(x))
    few = data_of(x[:100], np.arange(100), np.zeros(100), wave(x[:100]))
    assert fit(many).lengths == pytest.approx(fit(few).lengths, abs=0.5)
