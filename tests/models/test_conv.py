"""The convolutional VQ-VAE: the shapes of its document, and the seam to the codebook."""

import pytest
import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.models import ConvConfig
from raysweep.models.quantizers import EMAConfig
from raysweep.schema import parse
from tests.tiny import frames


def _shapes(layers: nn.Module, kind: type[nn.Module], x: torch.Tensor) -> list[tuple[int, ...]]:
    """Of what each layer of `kind` gives: channels, height, width."""
    seen: list[tuple[int, ...]] = []
    for layer in layers.modules():
        if type(layer) is kind:
            layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    layers(x)
    return seen


def test_by_default_four_stages_make_16_by_16_codes_of_256_px() -> None:
    with torch.device("meta"):
        model = ConvConfig().build()
        strided = _shapes(model.encoder, nn.Conv2d, torch.empty(1, 3, 256, 256))
        doubled = _shapes(model.decoder, nn.Upsample, torch.empty(1, 256, 16, 16))
    stages = [(128, 256, 256), (128, 128, 128), (256, 64, 64), (256, 32, 32), (256, 16, 16)]
    assert list(dict.fromkeys(strided)) == stages
    assert strided[-1] == (256, 16, 16)
    assert doubled == [(256, size, size) for size in (32, 64, 128, 256)]
    assert model.downsampling == (16,)
    assert sum(p.numel() for p in model.parameters()) == 23_336_963


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_has_as_many_stages_as_channels_are_given(stages) -> None:
    config = ConvConfig(encoder_channels=[8] * stages, decoder_channels=[8] * stages)
    assert config.build().downsampling == (2**stages,)


def test_other_stages_up_than_down_are_refused_with_both_counts() -> None:
    with pytest.raises(ConfigError, match=r"one per stage, got 4 and 2\. Give both as many\."):
        parse(ConvConfig, {"encoder_channels": [8, 8]})


@pytest.mark.parametrize("latent_channels", [8, 12])
def test_the_latent_may_have_other_channels_than_the_codebook(latent_channels) -> None:
    config = ConvConfig(
        latent_channels=latent_channels,
        encoder_channels=[8],
        decoder_channels=[8],
        quantizer=EMAConfig(codebook_size=16, embedding_dim=8),
    )
    model = config.build()
    assert model.encode(frames(2)).latent[0].shape[1] == 8
    assert isinstance(model.quant_conv, nn.Identity) == (latent_channels == 8)
    assert isinstance(model.post_quant_conv, nn.Identity) == (latent_channels == 8)


def test_frames_are_within_one_and_the_last_layer_lies_before_the_bound() -> None:
    torch.manual_seed(0)
    model = ConvConfig(encoder_channels=[8], decoder_channels=[8]).build()
    with torch.no_grad():
        model.last_layer.mul_(1e4)
    assert model(frames(2)).frames_NCHW.abs().max() == 1
