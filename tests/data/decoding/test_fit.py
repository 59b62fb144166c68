"""Promises about fitting: a square of the asked size, of the middle of the frame."""

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
