"""The step against a plain restatement of VQLPIPSWithDiscriminator: separate passes, autograd.grad, no tricks."""

from collections.abc import Mapping
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raysweep.losses import LossConfig
from raysweep.losses.perceptual import LogitLoss, PerceptualLoss
from raysweep.models import Tokenizer
from raysweep.training.loop import Parts
from raysweep.training.step import frozen, read
from tests.tiny import NO_EFFECT, QUANTIZERS, frames, tiny_parts, tiny_run

DISC_START = 2
RAMP = 4
"""Steps, where there is one."""
UNCHECKED = {"perplexity", "code_usage_rate", "skipped_steps", "grad_norm", "disc_grad_norm"}
"""Scalars that are no losses."""


def _restated(
    tokenizer: Tokenizer, discriminator: nn.Module, x: Tensor, loss: LossConfig, step: int
) -> dict[str, Tensor]:
    """Leaves gradients on both networks -> scalars."""
    active = loss.disc_factor if step >= DISC_START else 0.0
    decoded = tokenizer(x)
    seen = decoded.frames_NCHW
    distance = {"l1": (x - seen).abs(), "l2": (x - seen).square()}[loss.pixel]
    lpips = PerceptualLoss("squeeze", "random", "cpu")(seen, x)
    rec = loss.pixel_weight * distance + loss.perceptual_weight * lpips[:, None, None, None]
    nll, vq, scalars = rec.mean(), decoded.codebook_loss, {"recon_loss": distance.mean()}
    total = nll + loss.codebook_weight * vq
    if active:
        logits = discriminator(seen)
        saturates = (loss.generator_gan or loss.gan) != "non_saturating"
        g_loss = -logits.mean() if saturates else F.softplus(-logits).mean()
        last = tokenizer.decoder.conv_out.weight
        nll_norm = torch.autograd.grad(nll, last, retain_graph=True)[0].norm()
        g_norm = torch.autograd.grad(g_loss, last, retain_graph=True)[0].norm()
        ratio = (nll_norm / (g_norm + 1e-4)).clamp(0.0, loss.adaptive_cap).detach()
        weight = (ratio if loss.adaptive else 1.0) * loss.disc_weight
        weight = weight * (min(1.0, (step - DISC_START) / RAMP) if loss.disc_ramp else 1.0)
        total = total + weight * active * g_loss
        scalars |= {"g_loss": g_loss, "lambda_gan": torch.as_tensor(weight)}
    tokenizer.zero_grad()
    total.backward()
    discriminator.zero_grad()
    if active:
        real, fake = discriminator(x), discriminator(seen.detach())
        sides = {
            "hinge": F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean(),
            "vanilla": F.softplus(-real).mean() + F.softplus(fake).mean(),
        }
        sides["non_saturating"] = sides["vanilla"]
        d_loss = active * 0.5 * sides[loss.gan]
        d_loss.backward()
        scalars |= {"gan_loss": d_loss, "logits_real": real.mean(), "logits_fake": fake.mean()}
    scalars["disc_factor"] = torch.tensor(active)
    scalars |= {"perc_loss": lpips.mean(), "commitment_loss": decoded.commitment}
    return {**scalars, "vq_loss": vq, "total_loss": total}


def _assert_same_gradients(ours: nn.Module, theirs: nn.Module) -> None:
    wanted = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        if name.endswith(NO_EFFECT):
            continue
        if wanted[name].grad is None:
            assert parameter.grad is None, name
        else:
            error = (parameter.grad - wanted[name].grad).norm() / wanted[name].grad.norm()
            assert error < 1e-5, f"{name}: {error:.1e}"


CASES = {
    "taming, hinge": {"loss.gan": "hinge"},
    "taming, vanilla": {"loss.gan": "vanilla"},
    "ema": {"model.quantizer": QUANTIZERS["ema"]},
    "corrected beta": {"model.quantizer.legacy_beta": False},
    "l2": {"loss.pixel": "l2"},
    "fixed weight": {"loss.adaptive": False},
    "a capped weight": {"loss.adaptive_cap": 0.1},
    "a rising weight, as classic": {"loss.disc_ramp": RAMP / DISC_START},
    "non-saturating": {"loss.gan": "non_saturating"},
    "non-saturating for the generator alone": {"loss.generator_gan": "non_saturating"},
    "every weight": {
        "loss.pixel_weight": 0.5,
        "loss.perceptual_weight": 0.3,
        "loss.codebook_weight": 2.0,
        "loss.disc_weight": 0.6,
        "loss.disc_factor": 0.7,
    },
}


@pytest.mark.parametrize("step", [0, DISC_START, DISC_START + 3])
@pytest.mark.parametrize("case", CASES)
def test_gradients_and_losses_are_those_of_the_restatement(case, step) -> None:
    changes = {"loss.disc_start": DISC_START, "discriminator.norm": "batch", **CASES[case]}
    parts, loss, x = tiny_parts(changes), tiny_run(changes).loss, frames(6)
    nn.init.normal_(parts.state.discriminator.main[-1].weight, std=0.2)  # logits beyond the hinges
    parts.state.step = step
    tokenizer = deepcopy(parts.state.tokenizer)
    discriminator = deepcopy(parts.state.discriminator)
    scalars = parts.step(x)
    wanted = _restated(tokenizer, discriminator, x, loss, step)
    assert scalars.keys() - UNCHECKED == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(scalars[name], value.detach(), atol=1e-6, rtol=1e-5, msg=name)
    _assert_same_gradients(parts.state.tokenizer, tokenizer)
    _assert_same_gradients(parts.state.discriminator, discriminator)
    _assert_same_buffers(parts.state.tokenizer, tokenizer)


def _assert_same_buffers(ours: nn.Module, theirs: nn.Module) -> None:
    for mine, wanted in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(mine, wanted)


# --- when the discriminator works


class _Counted(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.calls = network, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.network(x)


def _counted(changes: Mapping[str, object]) -> tuple[Parts, list[int], list[bool]]:
    """Six steps -> the parts, the discriminator's forward passes of each, and whether it learned."""
    parts = tiny_parts({"loss.perceptual_net": "none", **changes})
    counter = _Counted(parts.state.discriminator)
    parts.state.discriminator = parts.step.discriminator = counter
    calls, learned = [], []
    for _ in range(6):
        counter.calls, before = 0, counter.network.main[0].weight.clone()
        parts.step(frames(2))
        calls.append(counter.calls)
        learned.append(not torch.equal(before, counter.network.main[0].weight))
    return parts, calls, learned


SCHEDULES = [
    pytest.param({"loss.disc_start": 3, "loss.disc_every": 1}, "000222", id="every step from 3"),
    pytest.param({"loss.disc_start": 1, "loss.disc_every": 3}, "021121", id="every third from 1"),
    pytest.param({"loss.disc_start": 0, "loss.disc_every": 2}, "212121", id="every second"),
    pytest.param({"loss.disc_start": 0.5, "training.steps": 8}, "000021", id="a share of the run"),
    pytest.param({"loss.disc_start": 0, "loss.disc_weight": 0.0}, "000000", id="no weight, no GAN"),
    pytest.param({"loss.disc_start": 0, "loss.disc_factor": 0.0}, "000000", id="no factor, no GAN"),
]


@pytest.mark.parametrize(("changes", "passes"), SCHEDULES)
def test_the_discriminator_works_when_it_is_due_and_never_before(changes, passes) -> None:
    """Passes a step: one over the reconstruction for both sides, one more, over the frames, to learn."""
    parts, calls, learned = _counted(changes)
    assert "".join(map(str, calls)) == passes
    assert learned == [count == "2" for count in passes]
    assert bool(parts.state.disc_optimizer.state) == any(learned)


def test_the_generators_pass_leaves_no_gradient_on_the_discriminator() -> None:
    parts, _, _ = _counted({"loss.disc_start": 0, "loss.disc_every": 100})
    before = [p.grad.clone() for p in parts.state.discriminator.parameters()]
    parts.step(frames(2))
    for parameter, gradient in zip(parts.state.discriminator.parameters(), before, strict=True):
        assert parameter.requires_grad
        assert torch.equal(parameter.grad, gradient)


def test_a_network_is_thawed_even_when_its_pass_fails() -> None:
    network = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="shapes"), frozen(network):
        network(torch.zeros(1, 3))
    assert network.weight.requires_grad


def test_scalars_are_read_under_their_logged_names() -> None:
    assert read({"recon_loss": torch.tensor(0.5)}) == {"train/recon_loss": 0.5}


def test_the_distance_of_logits_is_a_term_beside_lpips() -> None:
    changes = {"loss.disc_start": 9, "loss.logit_weight": 0.5, "loss.logit_init": "random"}
    parts, x = tiny_parts(changes), frames(2)
    with torch.no_grad():
        seen = deepcopy(parts.state.tokenizer)(x).frames_NCHW
        wanted = LogitLoss("random", "cpu")(seen, x).mean()
    scalars = parts.step(x)
    torch.testing.assert_close(scalars["logit_loss"], wanted)
    terms = scalars["recon_loss"] + scalars["perc_loss"] + scalars["vq_loss"]
    torch.testing.assert_close(scalars["total_loss"], terms + 0.5 * wanted)


# --- what the discriminator learns from


def test_lecam_and_r1_are_part_of_what_the_discriminator_learns() -> None:
    weights = {"loss.lecam_weight": 0.3, "loss.r1_weight": 2.0, "loss.r1_every": 4}
    parts, x = tiny_parts({"loss.disc_start": 0, "loss.disc_every": 1, **weights}), frames(4)
    parts.state.logit_averages = torch.tensor([0.2, -0.1])
    tokenizer, judge = (
        deepcopy(network) for network in (parts.state.tokenizer, parts.state.discriminator)
    )
    scalars = parts.step(x)
    leaf = x.clone().requires_grad_()
    real, fake = judge(leaf), judge(tokenizer(x).frames_NCHW.detach())
    hinge = 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())
    held = F.relu(real + 0.1).square().mean() + F.relu(0.2 - fake).square().mean()
    (slope,) = torch.autograd.grad(real.sum(), leaf, create_graph=True)
    penalty = slope.square().sum((1, 2, 3)).mean() / 2
    (hinge + 0.3 * held + 2.0 * 4 * penalty).backward()
    _assert_same_gradients(parts.state.discriminator, judge)
    logits = torch.stack([real.mean(), fake.mean()]).detach()
    torch.testing.assert_close(
        parts.state.logit_averages, 0.999 * torch.tensor([0.2, -0.1]) + 0.001 * logits
    )
    torch.testing.assert_close(scalars["r1_loss"], penalty.detach())


def test_noise_is_on_what_the_discriminator_learns_from_and_falls_with_the_steps() -> None:
    changes = {"loss.disc_noise": 0.1, "loss.disc_start": 0, "loss.disc_every": 1}
    parts, x = tiny_parts({**changes, "training.steps": 8}), frames(4)
    seen: list[Tensor] = []
    parts.state.discriminator.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for step, deviation in {0: 0.1, 2: 0.05, 4: 0.0}.items():
        seen.clear()
        parts.state.step = step
        parts.step(x)
        judged, real, *apart = (frames.detach() for frames in seen)
        fake = apart[0] if apart else judged  # without noise, one pass serves both
        assert (real - x).std().item() == pytest.approx(deviation, rel=0.1)
        assert (fake - judged).std().item() == pytest.approx(deviation, rel=0.1)
