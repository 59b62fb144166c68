"""A run that starts from a checkpoint has its weights at step 0, and a codebook that training moves gently."""

from pathlib import Path

import pytest
import torch

from raysweep.assemble import assemble
from raysweep.training import checkpoint
from raysweep.training.loop import resume
from tests.tiny import CPU, EMA, frames, tiny_parts, tiny_run


def saved(path: Path, seed: int = 5, **changes) -> Path:
    """A run's checkpoint after two steps."""
    parts = tiny_parts({"seed": seed, **changes})
    for _ in range(2):
        parts.step(frames(4))
    checkpoint.save(path, parts.state, {"val/psnr": 20.0}, parts.settings)
    return path


def test_a_run_starts_at_step_0_with_the_weights_of_another(tmp_path) -> None:
    path = saved(tmp_path / "earlier")
    wanted = checkpoint.load(path)
    state = tiny_parts({"model.checkpoint": path, "training.weight_ema": 0.9}).state
    assert state.step == 0
    assert not state.optimizer.state
    for network, name in (
        (state.tokenizer, "tokenizer"),
        (state.averaged, "tokenizer"),
        (state.discriminator, "discriminator"),
    ):
        torch.testing.assert_close(network.state_dict(), wanted[name], atol=0, rtol=0)


def test_a_resumed_runs_own_checkpoint_wins(tmp_path) -> None:
    changes = {"model.checkpoint": saved(tmp_path / "earlier")}
    own = saved(tmp_path / "own", seed=6, **changes)
    parts = tiny_parts(changes)
    resume(parts, own, lambda report: None)
    assert parts.state.step == 2
    torch.testing.assert_close(
        parts.state.tokenizer.state_dict(), checkpoint.load(own)["tokenizer"], atol=0, rtol=0
    )


@pytest.mark.parametrize("trained_by", ["gradient", "ema"])
def test_a_loaded_codebook_stays_where_no_vector_chooses_it(trained_by, tmp_path) -> None:
    """Neither the start from data nor the revival of dead codes replaces it at the first step."""
    changes = {"model.quantizer": EMA} if trained_by == "ema" else {}
    path = saved(tmp_path / "earlier", **changes)
    run = {"model.quantizer": EMA, "model.checkpoint": path, "data.batch_size": 64}
    parts = assemble(tiny_run(run), CPU)
    state = parts.state.tokenizer.state_dict()
    before = state["quantize.embedding.weight"].clone()
    assert torch.equal(before, checkpoint.load(path)["tokenizer"]["quantize.embedding.weight"])
    vectors = 64 * 2 * 8 * 8
    assert state["quantize.embedding.cluster_size"].sum() == pytest.approx(vectors)
    codes = parts.state.tokenizer(frames(1, seed=3)).codes[0]
    unchosen = torch.ones(32, dtype=torch.bool)
    unchosen[codes.flatten()] = False
    assert unchosen.any()
    torch.testing.assert_close(
        state["quantize.embedding.weight"][unchosen], before[unchosen], atol=1e-5, rtol=1e-4
    )
