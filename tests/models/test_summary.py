"""Promises about the page on a model: right figures, of every pair, without computing anything."""

import pytest
import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.models import TamingConfig
from raysweep.models.summary import PARTS, measure, summarize
from tests.models.pairs import PAIRS, model_config

SIDE = 32


def test_the_published_model_is_described_at_once() -> None:
    figures = measure(TamingConfig(), 256)
    assert figures.parameters == 72_141_699
    assert figures.weight_bytes == 4 * 72_141_699
    assert figures.tokens == 256
    assert figures.bits_per_pixel == 256 * 10 / 256**2


@pytest.mark.parametrize("pair", PAIRS)
def test_the_figures_are_those_of_the_model(pair) -> None:
    config = model_config(pair)
    tokenizer, figures = config.build(), measure(config, SIDE)
    weights = [*tokenizer.parameters(), *tokenizer.buffers()]
    codes = tokenizer.eval().encode(torch.zeros(1, 3, SIDE, SIDE)).codes
    assert figures.parameters == sum(p.numel() for p in tokenizer.parameters())
    assert figures.weight_bytes == sum(weight.nbytes for weight in weights)
    assert [m.tokens for m in figures.maps] == [c.numel() for c in codes]
    assert tuple(m.ids for m in figures.maps) == tokenizer.codebook_sizes
    assert figures.tokens == tokenizer.tokens_per_frame(SIDE, SIDE)
    assert figures.bits_per_pixel == tokenizer.bits_per_pixel(SIDE, SIDE)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.endswith("-gradient")])
def test_the_parts_add_up_to_the_whole(pair) -> None:
    lines = summarize(model_config(pair), SIDE, PARTS).split("\n\n")[0].splitlines()[1:]
    parts = sum(int(line.split()[-1].replace(",", "")) for line in lines)
    assert parts == measure(model_config(pair), SIDE).parameters


def test_flops_are_two_for_each_multiplication_of_every_convolution_and_product() -> None:
    """Counted from the shapes that pass through a real model."""
    config = TamingConfig(ch=8, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=(), z_channels=8)
    tokenizer, counted = config.build().eval(), []

    def count(layer: nn.Conv2d, _: object, out_NCHW: torch.Tensor) -> None:
        counted.append(2 * out_NCHW.numel() * layer.weight[0].numel())

    for layer in tokenizer.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    encoded = tokenizer.encode(torch.zeros(1, 3, SIDE, SIDE))
    positions, codebook = (SIDE // 2) ** 2, 2 * 1024 * 256
    attention = 2 * 2 * positions**2 * 16  # of the middle: scores, and values by scores
    figures = measure(config, SIDE)
    assert figures.encode_flops == sum(counted) + attention + positions * codebook
    counted.clear()
    tokenizer.decode(encoded.latent)
    assert figures.decode_flops == sum(counted) + attention


def test_the_page_shows_every_part_and_figure() -> None:
    page = summarize(TamingConfig(), 256)
    for shown in (
        "72,141,699",
        "288.6 MB",
        "encoder (Encoder)",
        "  conv_out (Conv2d)                           3 x 256 x 256",
        "256 tokens, 16 x 16, of 1,024 ids, 16 px apart",
        "0.0391",
        "GFLOPs per frame",
    ):
        assert shown in page


def test_a_frame_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"multiples of 16 .* Use 96x96"):
        summarize(TamingConfig(), 100)
