"""LFQ: signs for bits, and the library's own loss on one worker."""

import pytest
import torch
from einops import rearrange
from vector_quantize_pytorch import LFQ

from raysweep.models.quantizers import LFQConfig
from tests.models.quantizers.latents import latent


def test_bits_are_the_signs_of_the_channels() -> None:
    quantizer = LFQConfig(codebook_size=2**6, embedding_dim=6).build()
    quantized = quantizer(latent())
    signs = torch.where(latent() > 0, 1.0, -1.0)
    torch.testing.assert_close(quantized.latent_NDhw, signs)
    powers = torch.tensor([32, 16, 8, 4, 2, 1]).view(6, 1, 1)
    assert torch.equal(quantized.codes[0], ((signs > 0) * powers).sum(1))


@pytest.mark.parametrize("bits", [1, 2, 5])
@pytest.mark.parametrize("spread", [0.001, 0.01, 1.0])
def test_the_loss_and_its_gradient_are_the_librarys(bits, spread) -> None:
    config = LFQConfig(
        codebook_size=2**bits, embedding_dim=bits, entropy_weight=0.7, diversity=0.6, beta=0.2
    )
    library = LFQ(
        dim=bits,
        codebook_size=2**bits,
        entropy_loss_weight=0.7,
        diversity_gamma=0.6,
        commitment_loss_weight=0.2,
    )
    losses, gradients = [], []
    for quantize in (config.build(), library):
        leaf = latent(dim=bits, spread=spread).requires_grad_()
        quantized = quantize(leaf)
        losses.append(quantized[2])
        gradients.append(torch.autograd.grad(quantized[2], leaf)[0])
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(*gradients, rtol=2e-2, atol=1e-4)


def test_many_bits_need_no_row_of_all_ids_for_each_vector() -> None:
    """2^18 ids for 4096 vectors: 4 GiB where each vector holds them all."""
    quantizer = LFQConfig(codebook_size=2**18, embedding_dim=18).build()
    leaf = rearrange(torch.randn(4096, 18), "m d -> m d 1 1").requires_grad_()
    quantized = quantizer(leaf)
    quantized.loss.backward()
    assert leaf.grad is not None
    assert leaf.grad.isfinite().all()
    assert len(quantized.codes[0].unique()) > 4000
