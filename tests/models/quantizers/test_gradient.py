"""The codebook trained by gradient, against its formula."""

import numpy as np
import pytest
import torch

from raysweep.models.quantizers import GradientConfig
from raysweep.schema import Tree
from tests.models.quantizers.latents import D, K, latent, nearest_of, vectors

WEIGHTS: dict[str, tuple[Tree, float, float]] = {
    "as released": ({"beta": 0.3}, 1.0, 0.3),
    "as in the paper": ({"beta": 0.3, "legacy_beta": False}, 0.3, 1.0),
    "codebook alone": ({"beta": 0.0, "legacy_beta": False}, 0.0, 1.0),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_the_loss_is_the_formula_and_moves_each_side_by_its_own_weight(case) -> None:
    settings, commitment, codebook = WEIGHTS[case]
    torch.manual_seed(0)
    quantizer = GradientConfig(codebook_size=K, embedding_dim=D, **settings).build()
    leaf = latent(spread=0.1).requires_grad_()
    quantized = quantizer(leaf)
    book = quantizer.embedding.weight
    z, e = vectors(leaf), book.detach().double().numpy()
    codes = nearest_of(z, e)
    error = e[codes] - z
    assert quantized.codes[0].flatten().tolist() == codes.tolist()
    wanted = (commitment + codebook) * np.square(error).mean()
    assert quantized.loss.item() == pytest.approx(wanted, rel=1e-5)

    to_latent, to_book = torch.autograd.grad(quantized.loss, [leaf, book])
    np.testing.assert_allclose(vectors(to_latent), -2 * commitment * error / error.size, atol=1e-8)
    per_code = np.zeros_like(e)
    np.add.at(per_code, codes, 2 * codebook * error / error.size)
    np.testing.assert_allclose(to_book.numpy(), per_code, atol=1e-7)


def test_the_codebook_starts_uniform_within_one_over_k() -> None:
    book = GradientConfig(codebook_size=K, embedding_dim=500).build().embedding.weight
    assert book.abs().max() <= 1 / K
    assert book.std().item() == pytest.approx(1 / K / 3**0.5, rel=0.05)


def test_the_gradient_passes_straight_through() -> None:
    quantizer = GradientConfig(codebook_size=K, embedding_dim=D).build()
    leaf = latent().requires_grad_()
    (gradient,) = torch.autograd.grad((quantizer(leaf).latent_NDhw * latent(1)).sum(), leaf)
    torch.testing.assert_close(gradient, latent(1))
