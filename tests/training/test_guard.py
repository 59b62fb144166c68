"""A step that is not finite changes nothing but the counts; both ways of skipping it agree."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW

from raysweep.training.guard import Buffers, all_finite, step_if
from raysweep.training.loop import Parts
from tests.tiny import EMA, frames, tiny_parts

EVERYTHING = {
    "model.quantizer": EMA,
    "discriminator.norm": "batch",
    "loss.disc_start": 0,
    "loss.disc_every": 1,
    "loss.lecam_weight": 0.1,
    "loss.perceptual_net": "none",
}


def _bad_frames(parts: Parts) -> Tensor:
    bad = frames(4)
    bad[0, 0, 0, 0] = float("nan")
    return bad


def _bad_gradient(parts: Parts) -> Tensor:
    parts.state.tokenizer.last_layer.register_hook(lambda gradient: gradient * float("inf"))
    return frames(4)


def _bad_discriminator_gradient(parts: Parts) -> Tensor:
    weight = parts.state.discriminator.main[0].weight
    weight.register_hook(lambda gradient: gradient * float("nan"))
    return frames(4)


@pytest.mark.parametrize("fused", [True, None])
@pytest.mark.parametrize("spoil", [_bad_frames, _bad_gradient, _bad_discriminator_gradient])
def test_a_bad_step_leaves_everything_as_it_was(spoil, fused) -> None:
    parts = tiny_parts({**EVERYTHING, "training.fused": fused})
    parts.step(frames(4, seed=1))
    before = deepcopy(parts.state.state_dict())
    scalars = parts.step(spoil(parts))
    after = parts.state.state_dict()
    assert scalars["skipped_steps"] == 1
    assert after.pop("skipped").tolist() == [1, 1]
    assert (after.pop("step"), before.pop("step")) == (2, 1)
    del before["skipped"]
    torch.testing.assert_close(after, before, atol=0, rtol=0)


def test_a_good_step_ends_the_row_and_keeps_the_count() -> None:
    parts = tiny_parts(EVERYTHING)
    for bad in (True, True, False, True):
        parts.step(_bad_frames(parts) if bad else frames(4))
    assert parts.state.skipped.tolist() == [3, 1]


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize("fused", [True, None])
def test_an_optimizer_steps_if_it_may(kind, fused) -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = kind([weight], 0.1, fused=fused)
    weight.grad = torch.ones(3)
    step_if(torch.tensor(False), optimizer)
    assert weight.tolist() == [1, 1, 1]
    step_if(torch.tensor(True), optimizer)
    torch.testing.assert_close(weight.detach(), torch.full((3,), 0.9), atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    ("values", "finite"),
    [([1.0, 2.0], True), ([1.0, float("nan")], False), ([float("inf")], False)],
)
def test_all_finite(values, finite) -> None:
    assert bool(all_finite([torch.tensor(value) for value in values])) is finite


def test_buffers_are_put_back() -> None:
    norm = nn.BatchNorm1d(2)
    before = Buffers([norm])
    norm(torch.randn(4, 2) + 5)
    moved = norm.running_mean.clone()
    before.restore_unless(torch.tensor(True))
    assert torch.equal(norm.running_mean, moved)
    before.restore_unless(torch.tensor(False))
    assert norm.running_mean.tolist() == [0, 0]
    assert norm.num_batches_tracked == 0
