"""Half precision: networks in it, everything else in float32, and a scale that finds its size."""

import pytest
import torch

from raysweep.training.precision import GROW_AFTER, START, LossScale
from tests.tiny import CPU, EMA, frames, tiny_parts

GAN = {"loss.disc_start": 0, "loss.disc_every": 1, "loss.lecam_weight": 0.1, "loss.r1_weight": 0.1}


@pytest.mark.parametrize("quantizer", [{}, {"model.quantizer": EMA}])
@pytest.mark.parametrize(("precision", "close"), [("bf16", 0.2), ("fp16", 0.05)])
def test_half_precision_is_near_float32_and_leaves_the_weights_in_it(
    precision, close, quantizer
) -> None:
    settings = {**GAN, **quantizer}
    half, full = tiny_parts({**settings, "training.precision": precision}), tiny_parts(settings)
    if precision == "fp16":
        half.state.scale.value = torch.tensor(1024.0)  # at which these gradients fit
    seen, wanted = half.step(frames(4)), full.step(frames(4))
    for name in ("recon_loss", "perc_loss", "vq_loss", "gan_loss", "lambda_gan", "grad_norm"):
        assert seen[name].dtype == torch.float32, name
        assert seen[name].item() == pytest.approx(wanted[name].item(), rel=close, abs=1e-3), name
    assert half.state.skipped.tolist() == [0, 0]
    for network in (half.state.tokenizer, half.state.discriminator):
        assert all(p.dtype == p.grad.dtype == torch.float32 for p in network.parameters())


def test_the_scale_does_not_change_what_is_learned() -> None:
    """In float32, where nothing under- or overflows: gradients scaled and brought back are the same."""
    plain, scaled = tiny_parts(GAN), tiny_parts(GAN)
    scaled.state.scale = LossScale("fp16", CPU)
    plain.step(frames(4))
    scaled.step(frames(4))
    for one, other in zip(
        plain.state.tokenizer.parameters(), scaled.state.tokenizer.parameters(), strict=True
    ):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-7, rtol=1e-4)
    for one, other in zip(
        plain.state.discriminator.parameters(), scaled.state.discriminator.parameters(), strict=True
    ):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-7, rtol=1e-4)


def test_a_scale_too_large_is_halved_until_the_gradients_fit() -> None:
    parts = tiny_parts({**GAN, "training.precision": "fp16"})
    parts.state.scale.value = torch.tensor(2.0**19)
    for _ in range(10):
        parts.step(frames(4))
    skipped, in_a_row = parts.state.skipped.tolist()
    assert 0 < skipped < 10
    assert in_a_row == 0
    assert parts.state.scale.value == 2.0 ** (19 - skipped)


def test_the_scale_doubles_after_many_good_steps() -> None:
    scale = LossScale("fp16", CPU)
    for _ in range(GROW_AFTER):
        assert scale.value == START
        scale.update(torch.tensor(True))
    assert (scale.value, scale.good_steps) == (2 * START, 0)
    scale.update(torch.tensor(False))
    assert (scale.value, scale.good_steps) == (START, 0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_only_float16_is_scaled(precision) -> None:
    scale = LossScale(precision, CPU)
    scale.update(torch.tensor(False))
    assert scale.value == 1
