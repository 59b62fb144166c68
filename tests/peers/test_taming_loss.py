"""Our `taming` preset is taming-transformers' VQLPIPSWithDiscriminator: every figure it logs, and every gradient.

What it would download is stood in for: untrained VGG weights, the same as ours, and LPIPS' heads from the
`lpips` package.
"""

from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from raysweep.features.backbones import _backbone
from raysweep.features.lpips import _heads_file
from raysweep.training.loop import Parts
from tests.tiny import CPU, NO_EFFECT, QUANTIZERS, frames, tiny_parts

DISC_START = 2
LOGGED = {
    "train/total_loss": "total_loss",
    "train/quant_loss": "vq_loss",
    "train/p_loss": "perc_loss",
    "train/d_weight": "lambda_gan",
    "train/disc_factor": "disc_factor",
    "train/g_loss": "g_loss",
    "train/disc_loss": "gan_loss",
    "train/logits_real": "logits_real",
    "train/logits_fake": "logits_fake",
}
"""Their name -> ours. What they log before `disc_start` and do not use, we do not compute."""


@pytest.fixture
def published(taming: ModuleType) -> Iterator[ModuleType]:
    """taming.modules.losses.vqperceptual."""
    module = import_module("taming.modules.losses.vqperceptual")
    lpips = import_module("taming.modules.losses.lpips")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lpips, "models", SimpleNamespace(vgg16=_vgg16))
        patch.setattr(lpips, "get_ckpt_path", lambda *_: str(_heads_file("vgg")))
        yield module


def _vgg16(pretrained: bool) -> SimpleNamespace:
    return SimpleNamespace(features=deepcopy(_backbone("vgg", "random", CPU)._layers))


def _their_step(
    published: ModuleType, parts: Parts, x: Tensor, step: int, gan: str, actnorm: bool
) -> tuple[dict[str, Tensor], nn.Module, nn.Module]:
    """Both passes of their trainer -> what it logs, and both networks with gradients."""
    tokenizer = deepcopy(parts.state.tokenizer)
    loss = published.VQLPIPSWithDiscriminator(
        DISC_START,
        disc_num_layers=2,
        disc_ndf=8,
        disc_weight=0.8,
        disc_loss=gan,
        use_actnorm=actnorm,
    )
    loss.discriminator.load_state_dict(parts.state.discriminator.state_dict())
    decoded = tokenizer(x)
    seen = decoded.frames_NCHW
    last_layer = tokenizer.last_layer
    total, log = loss(decoded.codebook_loss, x, seen, 0, step, last_layer=last_layer)
    total.backward()
    loss.discriminator.zero_grad()
    disc_loss, disc_log = loss(decoded.codebook_loss, x, seen, 1, step, last_layer=last_layer)
    disc_loss.backward()
    return log | disc_log, tokenizer, loss.discriminator


def _assert_same_gradients(ours: nn.Module, theirs: nn.Module) -> None:
    wanted = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        if not name.endswith(NO_EFFECT):
            difference = (parameter.grad - wanted[name].grad).norm()
            assert difference <= 1e-5 * wanted[name].grad.norm() + 1e-8, name


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("norm", ["batch", "actnorm"])
@pytest.mark.parametrize("gan", ["hinge", "vanilla"])
@pytest.mark.parametrize("step", [0, DISC_START, DISC_START + 5])
def test_every_figure_and_gradient_is_theirs(published, step, gan, norm, quantizer) -> None:
    parts = tiny_parts(
        {
            "loss.preset": "taming",
            "loss.perceptual_net": "vgg",
            "loss.gan": gan,
            "loss.disc_start": DISC_START,
            "discriminator.norm": norm,
            "model.quantizer": QUANTIZERS[quantizer],
        }
    )
    nn.init.normal_(parts.state.discriminator.main[-1].weight, std=0.2)  # logits beyond the hinges
    parts.state.step, x = step, frames(6)
    log, tokenizer, discriminator = _their_step(published, parts, x, step, gan, norm == "actnorm")
    scalars = parts.step(x)
    for theirs, ours in LOGGED.items():
        if ours in scalars:
            torch.testing.assert_close(
                scalars[ours], log[theirs].squeeze(), atol=1e-5, rtol=1e-5, msg=ours
            )
    nll = scalars["recon_loss"] + scalars["perc_loss"]
    torch.testing.assert_close(nll, log["train/nll_loss"], atol=1e-5, rtol=1e-5)
    _assert_same_gradients(parts.state.tokenizer, tokenizer)
    if step >= DISC_START:
        assert set(LOGGED.values()) <= scalars.keys()
        _assert_same_gradients(parts.state.discriminator, discriminator)
