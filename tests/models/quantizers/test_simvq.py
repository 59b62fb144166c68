"""SimVQ: a linear map of fixed vectors, and its loss."""

import numpy as np
import pytest
import torch

from raysweep.models.quantizers import SimVQConfig
from tests.models.quantizers.latents import D, K, latent, nearest_of, vectors


def test_the_codebook_is_a_linear_map_and_the_loss_the_papers() -> None:
    torch.manual_seed(0)
    quantizer = SimVQConfig(codebook_size=K, embedding_dim=D, beta=0.3).build()
    state = {name: value.double().numpy() for name, value in quantizer.state_dict().items()}
    book = state["simvq.frozen_codebook"] @ state["simvq.code_transform.weight"].T
    z = vectors(latent())
    codes = nearest_of(z, book)
    quantized = quantizer(latent())
    assert quantized.codes[0].flatten().tolist() == codes.tolist()
    wanted = 1.3 * np.square(book[codes] - z).mean()
    assert quantized.loss.item() == pytest.approx(wanted, rel=1e-5)


def test_one_code_chosen_moves_all() -> None:
    torch.manual_seed(0)
    quantizer = SimVQConfig(codebook_size=K, embedding_dim=D).build()
    ids = torch.arange(K).view(1, 1, K)
    before = quantizer.vectors((ids,)).detach()
    quantizer(latent()[:1, :, :1, :1]).loss.backward()
    with torch.no_grad():
        for parameter in quantizer.parameters():
            parameter -= parameter.grad
    assert (quantizer.vectors((ids,)) != before).any(1).all()
    assert [name for name, _ in quantizer.named_buffers()] == ["simvq.frozen_codebook"]


def test_the_gradient_passes_straight_through() -> None:
    quantizer = SimVQConfig(codebook_size=K, embedding_dim=D).build()
    leaf = latent().requires_grad_()
    (gradient,) = torch.autograd.grad((quantizer(leaf).latent_NDhw * latent(1)).sum(), leaf)
    torch.testing.assert_close(gradient, latent(1))
