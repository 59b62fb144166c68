"""Grouped residual blocks: the shape, the start, and the user's own settings."""

import pytest
import torch
from torch import nn
from torch.optim import Adam

from raysweep.models import GroupedConfig
from raysweep.models.grouped import DECODER_KERNELS, ENCODER_KERNELS, Block
from raysweep.models.quantizers import EMAConfig
from tests.tiny import frames

USERS = GroupedConfig(
    group_count=5, hidden=256, quantizer=EMAConfig(codebook_size=4096, embedding_dim=1024)
)
"""Of the earlier system's param.json."""


def test_the_users_model_codes_256_px_as_16_by_16() -> None:
    with torch.device("meta"):
        model = USERS.build()
        latent = model.encoder(torch.empty(2, 3, 256, 256))
        assert latent.shape == (2, 1024, 16, 16)
        assert model.decode((latent,)).shape == (2, 3, 256, 256)
    assert model.downsampling == (16,)
    assert model.codebook_sizes == (4096,)
    assert sum(p.numel() for p in model.parameters()) == 58_220_803


@pytest.mark.slow
def test_the_users_model_trains() -> None:
    torch.manual_seed(0)
    model = USERS.build()
    optimizer = Adam(model.parameters(), 1e-5)
    losses = []
    for _ in range(3):
        decoded = model(frames(2))
        error = (decoded.frames_NCHW - frames(2)).square().mean()
        optimizer.zero_grad()
        (error + decoded.codebook_loss).backward()
        optimizer.step()
        losses.append(error.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("groups", [1, 2, 3, 5])
def test_group_g_is_g_times_as_wide_and_halves_between_groups(groups) -> None:
    config = GroupedConfig(group_count=groups, hidden=8, quantizer=EMAConfig(embedding_dim=12))
    model = config.build()
    assert model.downsampling == (2 ** (groups - 1),)
    assert [blocks[-1].residual[-1].out_channels for blocks in model.encoder.groups] == [
        8 * (group + 1) for group in range(groups)
    ]
    decoder = model.decoder.groups
    assert [blocks[-1].residual[-1].out_channels for blocks in decoder] == [
        8 * (group + 1) for group in reversed(range(groups))
    ]
    assert decoder[0][0].residual[1].in_channels == 12  # codebook vectors as they are


@pytest.mark.parametrize("kernels", [ENCODER_KERNELS, DECODER_KERNELS])
@pytest.mark.parametrize("out_channels", [16, 24])
def test_a_block_adds_a_small_change_to_its_input(kernels, out_channels) -> None:
    block = Block(16, out_channels, kernels, gain=0.25)
    convolutions = [layer for layer in block.residual if isinstance(layer, nn.Conv2d)]
    assert tuple(layer.kernel_size[0] for layer in convolutions) == kernels
    assert [layer.out_channels for layer in convolutions] == [
        *[out_channels // 4] * 3,
        out_channels,
    ]
    x = torch.randn(2, 16, 8, 8)
    h = x
    for layer in convolutions:
        h = layer(h.clamp(min=0))
    torch.testing.assert_close(block(x), block.shortcut(x) + 0.25 * h)
    assert isinstance(block.shortcut, nn.Identity) == (out_channels == 16)


def test_weights_start_with_variance_one_over_fan_in_and_biases_at_zero() -> None:
    torch.manual_seed(0)
    model = GroupedConfig(group_count=2, hidden=64).build()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            fan_in = layer.weight[0].numel()
            assert layer.weight.std().item() == pytest.approx(fan_in**-0.5, rel=0.15)
            assert not layer.bias.any()
