"""Promises about fitting: a square of the asked size, of the middle of the frame."""

import cv2
import numpy as np
import pytest

from raysweep.data.decoding.fit import fit_square
from raysweep.data.preprocessing import Preprocessing


@pytest.mark.parametrize(
    "size", [(32, 48), (48, 32), (32, 32), (16, 16), (9, 400), (1, 7), (333, 101)]
)
def test_fit_square_is_square(size):
    fitted = fit_square(np.full((*size, 3), 77, np.uint8), Preprocessing(resolution=32))
    assert fitted.shape == (32, 32, 3)
    assert fitted.flags.c_contiguous
    assert (fitted == 77).all()


def test_fit_square_keeps_the_centre():
    frame = np.zeros((32, 96, 3), np.uint8)
    frame[:, 32:64] = 200
    assert (fit_square(frame, Preprocessing(resolution=32)) == 200).all()
    assert (
        np.abs(fit_square(frame, Preprocessing(resolution=16))[:, 1:-1].astype(int) - 200).max()
        == 0
    )


@pytest.mark.parametrize("side", [111, 112, 113, 240])
def test_shrinking_much_is_the_mean_over_areas(side):
    """Halved first or not: textures and edges come out as one exact mean has them, to 40 dB."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3)).astype(np.float32)
    frame = cv2.GaussianBlur(noise, (5, 5), 1.0)
    frame[: side // 3] = np.where(np.arange(side) < side // 2, 0, 255)[None, :, None]
    frame = frame.astype(np.uint8)
    exact = cv2.resize(frame.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA)
    fitted = fit_square(frame, Preprocessing(resolution=32))
    assert 10 * np.log10(255**2 / np.mean((fitted - exact) ** 2)) >= 40
