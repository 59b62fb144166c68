"""Quantization on the unit sphere: directions alone count."""

import numpy as np
import pytest
import torch

from raysweep.models.quantizers import CosineConfig
from tests.models.quantizers.latents import D, K, latent, vectors


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("spread", [0.01, 1.0, 1000.0])
def test_the_code_is_the_nearest_direction_whatever_the_length(spread) -> None:
    torch.manual_seed(0)
    quantizer = CosineConfig(codebook_size=K, embedding_dim=D, beta=0.3).build()
    quantizer.embedding.weight.data *= torch.rand(K, 1) + 0.5
    quantized = quantizer(latent(spread=spread))
    z, e = _unit(vectors(latent())), _unit(quantizer.embedding.weight.detach().double().numpy())
    codes = (z @ e.T).argmax(1)
    assert quantized.codes[0].flatten().tolist() == codes.tolist()
    assert quantized.loss.item() == pytest.approx(1.3 * np.square(e[codes] - z).mean(), rel=1e-4)
    np.testing.assert_allclose(vectors(quantized.latent_NDhw), e[codes], atol=1e-5)


def test_codes_are_looked_up_in_the_dimensions_asked_for() -> None:
    quantizer = CosineConfig(codebook_size=K, embedding_dim=D, code_dim=2).build()
    assert quantizer.embedding.weight.shape == (K, 2)
    assert quantizer(latent()).latent_NDhw.shape == latent().shape


def test_a_vector_of_no_length_has_a_code_and_a_bounded_gradient() -> None:
    quantizer = CosineConfig(codebook_size=K, embedding_dim=D).build()
    leaf = torch.zeros(1, D, 2, 2, requires_grad=True)
    quantized = quantizer(leaf)
    (quantized.latent_NDhw.sum() + quantized.loss).backward()
    assert quantized.latent_NDhw.isfinite().all()
    assert leaf.grad is not None
    assert leaf.grad.abs().max() < 2e4
