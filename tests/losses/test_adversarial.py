"""Both sides of the GAN and the weight between them, as published."""

import pytest
import torch

from raysweep.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss

REAL = torch.tensor([[2.0, 0.5], [-1.0, 1.0]])
FAKE = torch.tensor([[-2.0, 0.0], [1.0, -0.5]])

DISCRIMINATOR = [
    # 0.5 (mean relu(1 - real) + mean relu(1 + fake))
    ("hinge", 0.5 * ((0 + 0.5 + 2 + 0) / 4 + (0 + 1 + 2 + 0.5) / 4)),
    # 0.5 (mean log(1 + e^-real) + mean log(1 + e^fake))
    (
        "vanilla",
        0.5 * ((0.126928 + 0.474077 + 1.313262 + 0.313262) / 4)
        + 0.5 * ((0.126928 + 0.693147 + 1.313262 + 0.474077) / 4),
    ),
]


@pytest.mark.parametrize(("kind", "expected"), DISCRIMINATOR)
def test_discriminator_loss(kind, expected) -> None:
    assert discriminator_loss(kind, REAL, FAKE).item() == pytest.approx(expected, rel=1e-5)


def test_generator_loss_is_the_mean_verdict_negated() -> None:
    assert generator_loss(FAKE).item() == pytest.approx(0.375)


@pytest.mark.parametrize("kind", ["hinge", "vanilla"])
def test_losses_are_float32_of_any_logits(kind) -> None:
    assert discriminator_loss(kind, REAL.bfloat16(), FAKE.bfloat16()).dtype == torch.float32
    assert generator_loss(FAKE.bfloat16()).dtype == torch.float32


WEIGHTS = [
    pytest.param([3.0, 4.0], [0.0, 1.0], 5.0 / 1.0001, id="the ratio of the norms"),
    pytest.param([0.0, 0.0], [1.0, 0.0], 0.0, id="nothing left to reconstruct"),
    pytest.param([3.0, 4.0], [0.0, 0.0], 1e4, id="the cap"),
    pytest.param([0.03, 0.04], [0.0, 0.0], 500.0, id="1e-4 below the line"),
]


@pytest.mark.parametrize(("reconstruction", "gan", "expected"), WEIGHTS)
def test_adaptive_weight(reconstruction, gan, expected) -> None:
    weight = adaptive_weight(torch.tensor(reconstruction), torch.tensor(gan))
    assert weight.item() == pytest.approx(expected, rel=1e-5)
