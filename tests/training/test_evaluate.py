"""Validation does not depend on how it is batched, and leaves the tokenizer as it was."""

import numpy as np
import pytest
import torch

from raysweep.training.evaluate import evaluate, mean_colour_psnr, to_frames
from tests.models.pairs import QUANTIZERS
from tests.tiny import CPU, clips, tiny_parts


def test_clips_become_frames_in_order() -> None:
    pixels = torch.randint(0, 256, (2, 3, 4, 5, 3), dtype=torch.uint8)
    frames = to_frames(pixels, CPU)
    assert frames.shape == (6, 3, 4, 5)
    assert frames.is_contiguous()
    wanted = pixels[1, 2, :, :, 0].float() / 127.5 - 1
    torch.testing.assert_close(frames[5, 0], wanted)
    assert to_frames(
        torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2, 1), CPU
    ).tolist() == [[[[-1.0, 1.0]]]]


@pytest.mark.parametrize("quantizer", ["gradient", "ema", "optvq", "residual"])
@pytest.mark.parametrize("sizes", [[3, 4], [1, 6], [2, 2, 2, 1]])
def test_uneven_batches_give_the_same_metrics(quantizer, sizes) -> None:
    parts = tiny_parts({"model.quantizer": QUANTIZERS[quantizer]})
    whole = evaluate(parts.state.tokenizer, parts.new_metrics(), [clips(7)], CPU)
    split = evaluate(parts.state.tokenizer, parts.new_metrics(), clips(7).split(sizes), CPU)
    assert split == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("quantizer", ["optvq", "residual"])
def test_every_head_or_stage_has_its_own_perplexity_and_usage(quantizer) -> None:
    parts = tiny_parts({"model.quantizer": QUANTIZERS[quantizer]})
    parts.step(to_frames(clips(7), CPU))
    metrics = evaluate(parts.state.tokenizer, parts.new_metrics(), clips(7).split(3), CPU)
    codes = parts.state.tokenizer.eval().encode(to_frames(clips(7), CPU)).codes
    assert len(codes) > 1
    for level, ids in enumerate(codes):
        shares = np.unique(ids.numpy(), return_counts=True)[1] / ids.numel()
        perplexity = np.exp(-(shares * np.log(shares)).sum())
        assert metrics[f"val/perplexity/level{level}"] == pytest.approx(perplexity, rel=1e-5)
        assert metrics[f"val/code_usage/level{level}"] == pytest.approx(len(shares) / 32)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_what_it_was(training) -> None:
    parts = tiny_parts()
    parts.state.tokenizer.train(training)
    evaluate(parts.state.tokenizer, parts.new_metrics(), [clips(2)], CPU)
    assert all(module.training is training for module in parts.state.tokenizer.modules())


def test_dropout_is_off() -> None:
    parts = tiny_parts({"model.dropout": 0.5})
    first, second = (
        evaluate(parts.state.tokenizer, parts.new_metrics(), [clips(2)], CPU) for _ in range(2)
    )
    assert first == second


def test_mean_colour_psnr_is_that_of_flat_frames() -> None:
    pixels = clips(3).double().flatten(0, 1).numpy()
    error = np.square(pixels - pixels.mean((1, 2), keepdims=True)).mean((1, 2, 3))
    wanted = (10 * np.log10(255**2 / error)).mean()
    assert mean_colour_psnr(clips(3).split(2), CPU) == pytest.approx(wanted, abs=1e-4)
