"""`optvq` with Sinkhorn at inference too is the public OptVQ's quantizer, weight for weight."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from raysweep.models.quantizers import OptVQConfig
from raysweep.schema import Tree

K, D = 256, 32
CASES: dict[str, Tree] = {
    "as released": {"heads": 4},
    "one head": {},
    "class defaults": {"use_prob": True, "loss": "ce", "beta": 1.0},
    "without projection": {"heads": 2, "use_proj": False},
    "by dimension": {"normalize": "dim"},
    "unnormalized": {"normalize": "null", "epsilon": 2.0},
    "sharper and longer": {"heads": 8, "epsilon": 20.0, "iterations": 12, "beta": 0.7},
}


def _pair(optvq: SimpleNamespace, case: str) -> tuple[nn.Module, nn.Module]:
    config = OptVQConfig(codebook_size=K, embedding_dim=D, exact=True, **CASES[case])
    torch.manual_seed(0)
    theirs = optvq.quantizer.VectorQuantizerSinkhorn(
        epsilon=config.epsilon,
        n_iters=config.iterations,
        normalize_mode=config.normalize,
        use_prob=config.use_prob,
        n_e=K,
        e_dim=D,
        beta=config.beta,
        use_proj=config.use_proj,
        loss_q_type=config.loss,
        num_head=config.heads,
    )
    ours = config.build()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def _latent(seed: int = 1) -> Tensor:
    return torch.randn(4, D, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_codes_latents_loss_and_gradients(optvq, case, training) -> None:
    results = []
    for quantizer in _pair(optvq, case):
        leaf = _latent().requires_grad_()
        torch.manual_seed(7)  # of what it draws
        latent, *rest = quantizer.train(training)(leaf)
        loss, codes = rest if isinstance(rest[0], Tensor) else (rest[1], torch.stack(rest[0], 1))
        (latent.square().mean() + loss).backward()
        gradients = [leaf.grad, *(parameter.grad for parameter in quantizer.parameters())]
        results.append((codes, latent, loss, gradients))
    (codes, latent, loss, gradients), (their_codes, *theirs) = results
    assert torch.equal(codes, their_codes)
    torch.testing.assert_close([latent, loss, gradients], theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("case", ["as released", "one head"])
def test_the_same_latents_of_codes(optvq, case) -> None:
    ours, theirs = _pair(optvq, case)
    codes = ours.eval()(_latent()).codes
    torch.testing.assert_close(ours.vectors(codes), theirs.embed_code(torch.stack(codes, 1)))
