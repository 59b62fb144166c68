"""Pixel distances against numpy."""

import numpy as np
import pytest
import torch

from raysweep.losses.pixel import pixel_loss


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("l1", lambda e: np.abs(e).mean()),
        ("l2", lambda e: np.square(e).mean()),
        ("l1+l2", lambda e: np.abs(e).mean() + np.square(e).mean()),
    ],
)
def test_pixel_loss(kind, wanted) -> None:
    torch.manual_seed(0)
    frames, target = torch.randn(2, 3, 3, 4, 5).unbind()
    loss = pixel_loss(kind, frames, target)
    assert loss.item() == pytest.approx(wanted((frames - target).double().numpy()), rel=1e-5)
