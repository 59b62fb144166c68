"""What all quantizers share."""

import numpy as np
import pytest
import torch

from raysweep.models.quantizers import perplexity
from raysweep.models.quantizers.base import histogram, nearest
from tests.models.quantizers.latents import D, K, nearest_of


def test_nearest_is_by_squared_distance() -> None:
    vectors, book = torch.randn(50, D), torch.randn(K, D)
    wanted = nearest_of(vectors.double().numpy(), book.double().numpy())
    assert nearest(vectors, book).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0, 0, 0], 1.0), ([0, 1, 2, 3], 4.0), ([0, 0, 1, 1], 2.0)]
)
def test_perplexity(codes, expected) -> None:
    assert perplexity([torch.tensor(codes)], [8]).item() == pytest.approx(expected)


def test_a_histogram_counts_every_id() -> None:
    ids = torch.randint(5, (2, 3, 4), generator=torch.Generator().manual_seed(0))
    counts = histogram(ids, 8)
    assert counts.dtype == torch.int64
    assert counts.tolist() == np.bincount(ids.flatten().numpy(), minlength=8).tolist()
