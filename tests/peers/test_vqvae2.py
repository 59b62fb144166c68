"""`hierarchical` with the published EMA's arithmetic is github.com/vvvm23/vqvae-2, weight for weight."""

import re
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from raysweep.models import HierarchicalConfig
from raysweep.models.quantizers import EMAConfig
from tests.tiny import frames

RATES = [(4, 2), (8, 4, 2), (2, 2), (4, 2, 2, 2)]
SIZES = {"hidden": 16, "res_channels": 8, "nb_res_layers": 2}
K, D = 32, 8


def _theirs(vqvae2: ModuleType, rates: tuple[int, ...]) -> nn.Module:
    """With residual branches that count, and running statistics of real frames: evaluation uses many codes."""
    torch.manual_seed(0)
    model = vqvae2.VQVAE(
        hidden_channels=SIZES["hidden"],
        res_channels=SIZES["res_channels"],
        nb_res_layers=SIZES["nb_res_layers"],
        nb_levels=len(rates),
        embed_dim=D,
        nb_entries=K,
        scaling_rates=list(rates),
    )
    for name, value in model.state_dict().items():
        if name.endswith("cluster_size"):
            value.fill_(1)
        elif name.endswith("conv_in.weight"):
            value.mul_(10)  # spread over the codebook
        elif name.endswith("alpha"):
            value.normal_()
    _settle(model)
    return model


@torch.no_grad()
def _settle(model: nn.Module) -> None:
    for codebook in model.codebooks:
        codebook.decay = 1.0  # nothing moves
    for seed in range(20):
        model(frames(4, 64, seed))
    for codebook in model.codebooks:
        codebook.decay = 0.99


def _named_as_ours(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Their codebooks lie directly in a level, transposed."""
    return {
        re.sub(r"(codebooks\.\d+)\.embed$", r"\1.quantize.embedding.weight", name)
        .replace(".embed_avg", ".quantize.embedding.embed_avg")
        .replace(".cluster_size", ".quantize.embedding.cluster_size"): (
            value.t() if re.search(r"\.embed(_avg)?$", name) else value
        )
        for name, value in state.items()
    }


def _ours(theirs: nn.Module, rates: tuple[int, ...]) -> nn.Module:
    quantizer = EMAConfig(codebook_size=K, embedding_dim=D, start="normal", revive_below=0)
    model = HierarchicalConfig(scaling_rates=rates, quantizer=quantizer, **SIZES).build()
    missing, unexpected = model.load_state_dict(_named_as_ours(theirs.state_dict()), strict=False)
    assert all(name.endswith(".updates") for name in missing)
    assert not unexpected
    return model


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("rates", RATES)
def test_the_same_codes_frames_and_loss(vqvae2, rates, training) -> None:
    theirs = _theirs(vqvae2, rates).train(training)
    ours = _ours(theirs, rates).train(training)
    pictures = frames(4, 64)
    frames_NCHW, losses, _, _, ids = theirs(pictures)
    decoded = ours(pictures)
    for level, codes in enumerate(reversed(ids)):  # theirs are coarsest first
        assert torch.equal(decoded.codes[level], codes)
    assert len(decoded.codes[0].unique()) > 8
    torch.testing.assert_close(decoded.frames_NCHW, frames_NCHW, atol=1e-5, rtol=0)
    torch.testing.assert_close(decoded.codebook_loss, 0.25 * sum(losses), atol=1e-6, rtol=1e-5)
    wanted = _named_as_ours(theirs.state_dict())
    state = ours.state_dict()
    for name, value in wanted.items():  # running statistics and codebooks have moved alike
        torch.testing.assert_close(state[name], value, atol=1e-5, rtol=1e-5, msg=name)


@torch.no_grad()
@pytest.mark.parametrize("rates", RATES)
def test_the_same_frames_of_codes(vqvae2, rates) -> None:
    theirs = _theirs(vqvae2, rates).eval()
    ours = _ours(theirs, rates).eval()
    codes = ours.encode(frames(2, 64)).codes
    torch.testing.assert_close(
        ours.decode_codes(codes), theirs.decode_codes(*codes), atol=1e-5, rtol=0
    )


def test_the_same_gradients(vqvae2) -> None:
    theirs = _theirs(vqvae2, (4, 2))
    ours = _ours(theirs, (4, 2))
    frames_NCHW, losses, *_ = theirs(frames(4, 64))
    (frames_NCHW.square().mean() + 0.25 * sum(losses)).backward()
    decoded = ours(frames(4, 64))
    (decoded.frames_NCHW.square().mean() + decoded.codebook_loss).backward()
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, atol=1e-5, rtol=1e-4, msg=name)
