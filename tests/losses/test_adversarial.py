"""Both sides of the GAN and the weight between them, as published."""

import pytest
import torch

from raysweep.losses.adversarial import (
    adaptive_weight,
    discriminator_loss,
    generator_loss,
    lecam,
    r1,
)

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

DISCRIMINATOR.append(("non_saturating", DISCRIMINATOR[1][1]))


@pytest.mark.parametrize(("kind", "expected"), DISCRIMINATOR)
def test_discriminator_loss(kind, expected) -> None:
    assert discriminator_loss(kind, REAL, FAKE).item() == pytest.approx(expected, rel=1e-5)


GENERATOR = [
    ("hinge", 0.375),
    ("vanilla", 0.375),
    # mean log(1 + e^-fake)
    ("non_saturating", (2.126928 + 0.693147 + 0.313262 + 0.974077) / 4),
]


@pytest.mark.parametrize(("kind", "expected"), GENERATOR)
def test_generator_loss(kind, expected) -> None:
    assert generator_loss(kind, FAKE).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["hinge", "vanilla", "non_saturating"])
def test_losses_are_float32_of_any_logits(kind) -> None:
    assert discriminator_loss(kind, REAL.bfloat16(), FAKE.bfloat16()).dtype == torch.float32
    assert generator_loss(kind, FAKE.bfloat16()).dtype == torch.float32


WEIGHTS = [
    pytest.param([3.0, 4.0], [0.0, 1.0], 1e4, 5.0 / 1.0001, id="the ratio of the norms"),
    pytest.param([0.0, 0.0], [1.0, 0.0], 1e4, 0.0, id="nothing left to reconstruct"),
    pytest.param([3.0, 4.0], [0.0, 0.0], 1e4, 1e4, id="the cap"),
    pytest.param([3.0, 4.0], [0.0, 0.0], 1e2, 1e2, id="a lower cap"),
    pytest.param([0.03, 0.04], [0.0, 0.0], 1e4, 500.0, id="1e-4 below the line"),
]


@pytest.mark.parametrize(("reconstruction", "gan", "cap", "expected"), WEIGHTS)
def test_adaptive_weight(reconstruction, gan, cap, expected) -> None:
    weight = adaptive_weight(torch.tensor(reconstruction), torch.tensor(gan), cap)
    assert weight.item() == pytest.approx(expected, rel=1e-5)


def test_lecam_holds_each_side_at_the_others_average() -> None:
    # mean relu(real - -0.5)^2 + mean relu(0.5 - fake)^2
    expected = (6.25 + 1 + 0 + 2.25) / 4 + (6.25 + 0.25 + 0 + 1) / 4
    assert lecam(REAL, FAKE, torch.tensor([0.5, -0.5])).item() == pytest.approx(expected)
    assert lecam(REAL, FAKE, torch.tensor([-9.0, 9.0])).item() == 0


def test_r1_is_half_the_squared_slope_at_real_frames_and_can_be_learned_from() -> None:
    real = torch.randn(3, 2, 4, 4, requires_grad=True)
    slope = torch.randn(2, 4, 4, requires_grad=True)
    penalty = r1((real * slope).sum((1, 2, 3)), real)
    assert penalty.item() == pytest.approx(0.5 * slope.square().sum().item(), rel=1e-5)
    penalty.backward()
    torch.testing.assert_close(slope.grad, slope.detach())
