"""FSQ: the levels of a codebook size, and the paper's rounding."""

from math import prod

import numpy as np
import pytest

from raysweep.models.quantizers import FSQConfig
from raysweep.models.quantizers.fsq import levels_of
from tests.models.quantizers.latents import latent, vectors

PAPER = {
    240: (8, 6, 5),
    1000: (8, 5, 5, 5),
    4375: (7, 5, 5, 5, 5),
    15360: (8, 8, 8, 6, 5),
    64000: (8, 8, 8, 5, 5, 5),
}
POWERS = {
    2**8: (8, 8, 4),
    2**10: (8, 8, 4, 4),
    2**12: (8, 8, 8, 8),
    2**14: (8, 8, 8, 8, 4),
    2**16: (8, 8, 8, 8, 4, 4),
}


@pytest.mark.parametrize(("size", "levels"), (PAPER | POWERS | {27: (9, 3), 13: (13,)}).items())
def test_the_levels_of_a_size(size, levels) -> None:
    assert levels_of(size) == levels


def test_the_levels_multiply_to_the_size_exactly_or_there_are_none() -> None:
    for size in range(3, 2000):
        levels = levels_of(size)
        assert all(3 <= level <= 16 for level in levels)
        assert prod(levels) == (size if levels else 1)


def test_each_channel_is_rounded_within_its_bounds() -> None:
    """Eqs. 1 and 2 of the paper for odd levels: round(floor(L / 2) tanh(z)), scaled to [-1, 1]."""
    quantizer = FSQConfig(codebook_size=7 * 5, embedding_dim=2).build()
    batch = latent(dim=2, spread=2.0)
    quantized = quantizer(batch)
    half = np.array([3, 2])
    rounded = np.round(half * np.tanh(vectors(batch)) * 1.001)
    np.testing.assert_allclose(vectors(quantized.latent_NDhw), rounded / half, atol=1e-6)
    ids = (rounded + half) @ np.array([1, 7])
    assert quantized.codes[0].flatten().tolist() == ids.tolist()
    assert quantized.loss == 0
