"""VQGAN: the published model's names and size."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from raysweep.models import TamingConfig
from raysweep.models.blocks import AttnBlock


@pytest.fixture(scope="module")
def published() -> torch.nn.Module:
    with torch.device("meta"):
        return TamingConfig().build()


def test_the_default_is_the_published_f16_model(published) -> None:
    assert len(published.state_dict()) == 343
    assert sum(p.numel() for p in published.parameters()) == 72_141_699
    assert published.downsampling == (16,)
    assert published.tokens_per_frame(256, 256) == 256


@pytest.mark.parametrize(
    "key",
    [
        "encoder.conv_in.weight",
        "encoder.down.0.block.1.norm2.bias",
        "encoder.down.2.block.0.nin_shortcut.weight",
        "encoder.down.4.attn.1.proj_out.weight",
        "encoder.down.3.downsample.conv.weight",
        "encoder.mid.attn_1.q.weight",
        "encoder.norm_out.weight",
        "decoder.up.0.block.2.conv2.weight",
        "decoder.up.4.attn.2.v.bias",
        "decoder.up.1.upsample.conv.bias",
        "decoder.conv_out.weight",
        "quant_conv.weight",
        "post_quant_conv.bias",
        "quantize.embedding.weight",
    ],
)
def test_keys_are_those_of_published_checkpoints(published, key) -> None:
    assert key in published.state_dict()


@pytest.mark.parametrize(
    "key", ["encoder.down.4.downsample", "decoder.up.0.upsample", "down.0.attn"]
)
def test_the_ends_do_not_resample_and_attention_is_where_it_was_asked_for(published, key) -> None:
    assert not any(key in name for name in published.state_dict())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_attention_never_builds_the_weights_of_all_positions(layout) -> None:
    """A frame of 854 x 480 at f4 has 25,680 positions: 2.6 GB of weights. Only torch's fused kernel is let through."""
    block = AttnBlock(32).to(memory_format=layout)
    x_NCHW = torch.randn(2, 32, 6, 5).to(memory_format=layout)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        fused = block(x_NCHW)
    with sdpa_kernel(SDPBackend.MATH):
        torch.testing.assert_close(fused, block(x_NCHW))
