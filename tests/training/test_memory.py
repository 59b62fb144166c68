"""Micro-batches, recomputed activations, and a step whose memory runs out."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from raysweep.errors import TrainingFailed
from raysweep.schema import Tree
from raysweep.training.loop import MICRO_BATCHES, Parts, Report, fit
from raysweep.training.step import Scalars
from tests.tiny import EMA, NO_EFFECT, NO_TRACKER, MemoryBatches, frames, tiny_parts, tiny_run

EXACT: Tree = {
    "loss.disc_start": 0,
    "loss.disc_every": 1,
    "loss.adaptive": False,
    "loss.gan": "vanilla",
}
"""A GAN without statistics of the batch: its gradients are means over frames."""


def _same_gradients(one: Parts, other: Parts) -> None:
    for network in ("tokenizer", "discriminator"):
        wanted = dict(getattr(other.state, network).named_parameters())
        for name, parameter in getattr(one.state, network).named_parameters():
            if not name.endswith(NO_EFFECT):
                error = (parameter.grad - wanted[name].grad).norm() / wanted[name].grad.norm()
                assert error < 1e-4, f"{name}: {error:.1e}"


@pytest.mark.parametrize("parts", [2, 4])
def test_micro_batches_have_the_gradients_and_losses_of_the_whole(parts) -> None:
    whole, split = tiny_parts(EXACT), tiny_parts({**EXACT, "training.accumulate": parts})
    wanted, seen = whole.step(frames(8)), split.step(frames(8))
    _same_gradients(split, whole)
    assert seen.keys() == wanted.keys()
    for name in wanted.keys() - {"perplexity"}:
        torch.testing.assert_close(seen[name], wanted[name], atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("norm", [0.01, 1e9])
def test_gradients_are_clipped_together(norm) -> None:
    free, clipped = tiny_parts(EXACT), tiny_parts({**EXACT, "training.clip_norm": norm})
    before, seen = free.step(frames(4)), clipped.step(frames(4))
    torch.testing.assert_close(seen["grad_norm"], before["grad_norm"])
    for network, name in (("tokenizer", "grad_norm"), ("discriminator", "disc_grad_norm")):
        shrunk = min(1.0, norm / before[name].item())
        for one, other in zip(
            getattr(clipped.state, network).parameters(),
            getattr(free.state, network).parameters(),
            strict=True,
        ):
            torch.testing.assert_close(one.grad, other.grad * shrunk, atol=1e-9, rtol=1e-3)


RECOMPUTED = [
    pytest.param({}, id="plain"),
    pytest.param({"model.dropout": 0.3}, id="dropout"),
    pytest.param({"model.quantizer": EMA}, id="ema"),
    pytest.param({"training.precision": "bf16"}, id="bfloat16"),
]


@pytest.mark.parametrize("changes", RECOMPUTED)
def test_recomputed_activations_are_the_same(changes) -> None:
    kept = tiny_parts(changes)
    dropped = tiny_parts({**changes, "training.checkpoint_activations": True})
    for parts in (kept, dropped):
        for step in range(4):
            torch.manual_seed(step)
            parts.step(frames(4, seed=step))
    torch.testing.assert_close(
        dropped.state.state_dict(), kept.state.state_dict(), atol=1e-6, rtol=1e-5
    )


# --- out of memory


def _small_memory(parts: Parts, frames_that_fit: int) -> Parts:
    """A step on a machine that holds so many frames."""

    def step(frames: Tensor) -> Scalars:
        if len(frames) // parts.state.accumulate > frames_that_fit:
            raise torch.OutOfMemoryError
        return parts.step(frames)

    return replace(parts, step=step)


def _networks(parts: Parts) -> dict[str, Tensor]:
    return parts.state.tokenizer.state_dict() | parts.state.discriminator.state_dict()


@pytest.mark.parametrize(("fit_in", "accumulate"), [(8, 1), (4, 2), (3, 4), (1, 8)])
def test_less_memory_means_more_micro_batches_of_the_same_batch(fit_in, accumulate) -> None:
    reports: list[Report] = []
    parts = tiny_parts()
    fit(_small_memory(parts, fit_in), MemoryBatches(tiny_run()), reports.append, NO_TRACKER)
    assert parts.state.accumulate == accumulate
    noted = {report.metrics.get(MICRO_BATCHES) for report in reports}
    assert noted == {None if accumulate == 1 else float(accumulate)}
    planned = tiny_parts()
    planned.state.accumulate = accumulate
    fit(planned, MemoryBatches(tiny_run()), lambda report: None, NO_TRACKER)
    torch.testing.assert_close(_networks(parts), _networks(planned), atol=0, rtol=0)


def test_where_a_frame_does_not_fit_the_run_fails_and_says_what_would() -> None:
    parts = _small_memory(tiny_parts(), 0)
    with pytest.raises(TrainingFailed, match=r"1 frames of 32x32 px .* data.resolution to 16"):
        fit(parts, MemoryBatches(tiny_run()), lambda report: None, NO_TRACKER)


def test_a_step_that_ran_out_of_memory_midway_leaves_no_trace(monkeypatch) -> None:
    parts = tiny_parts({"model.quantizer": EMA, "discriminator.norm": "batch"})
    before = {name: value.clone() for name, value in _networks(parts).items()}

    def full(*_: Tensor) -> Tensor:
        raise torch.OutOfMemoryError

    parts.step.perceptual = full  # after the forward pass, which moves the codebook
    with pytest.raises(torch.OutOfMemoryError):
        parts.step(frames(4))
    torch.testing.assert_close(_networks(parts), before, atol=0, rtol=0)
    assert parts.state.step == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # the compiler looks at it
def test_compiled_parts_compute_the_same() -> None:
    plain, compiled = tiny_parts(), tiny_parts({"training.compile": True})
    for step in range(3):
        wanted, seen = (parts.step(frames(4, seed=step)) for parts in (plain, compiled))
        torch.testing.assert_close(seen["total_loss"], wanted["total_loss"], atol=1e-4, rtol=1e-4)
    assert compiled.state.tokenizer.state_dict().keys() == plain.state.tokenizer.state_dict().keys()
