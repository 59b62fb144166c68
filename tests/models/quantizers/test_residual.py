"""Residual stages: each takes what is left, and the latent gets its gradient once."""

import pytest
import torch

from raysweep.models.quantizers import EMAConfig, ResidualConfig
from tests.models.quantizers.latents import D, K, latent


def _trained(stages: int, steps: int = 40):
    torch.manual_seed(0)
    quantizer = ResidualConfig(codebook_size=K, embedding_dim=D, stages=stages).build()
    for seed in range(steps):
        quantizer(latent(seed))
    return quantizer.eval()


def test_each_stage_quantizes_what_is_left() -> None:
    quantizer = _trained(3)
    left, losses = latent(99), []
    quantized = quantizer(left)
    for stage, codes in zip(quantizer.stages, quantized.codes, strict=True):
        alone = stage(left)
        assert torch.equal(alone.codes[0], codes)
        losses.append(0.25 * (left - stage.vectors(alone.codes)).square().mean())
        left = left - stage.vectors(alone.codes)
    assert quantized.loss.item() == pytest.approx(sum(losses).item(), rel=1e-5)
    torch.testing.assert_close(quantized.latent_NDhw, latent(99) - left)


def test_every_stage_brings_the_latent_nearer() -> None:
    errors = [
        (_trained(stages)(latent(99)).latent_NDhw - latent(99)).square().mean().item()
        for stages in (1, 2, 3)
    ]
    assert errors[2] < 0.9 * errors[1] < 0.8 * errors[0]


def test_every_stage_uses_its_codes() -> None:
    quantizer = _trained(3)
    codes = [quantizer(latent(seed)).codes for seed in range(100, 110)]
    for of_a_stage in zip(*codes, strict=True):
        assert len(torch.cat(of_a_stage).unique()) > K / 2


@pytest.mark.parametrize("stages", [1, 4])
def test_the_latent_gets_its_gradient_once(stages) -> None:
    quantizer = ResidualConfig(codebook_size=K, embedding_dim=D, stages=stages).build()
    leaf = latent().requires_grad_()
    (gradient,) = torch.autograd.grad((quantizer(leaf).latent_NDhw * latent(1)).sum(), leaf)
    torch.testing.assert_close(gradient, latent(1))


def test_one_stage_is_a_moving_average_codebook() -> None:
    books = []
    for config in (EMAConfig, ResidualConfig):
        torch.manual_seed(0)
        single = {"stages": 1} if config is ResidualConfig else {}
        quantizer = config(codebook_size=K, embedding_dim=D, **single).build()
        books.append([quantizer(latent(seed)).codes[0] for seed in range(5)])
    assert all(torch.equal(a, b) for a, b in zip(*books, strict=True))
