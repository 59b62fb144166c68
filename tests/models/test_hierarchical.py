"""VQ-VAE-2: the published model's names and sizes, and what its levels do for one another."""

import pytest
import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.models import HierarchicalConfig
from raysweep.models.quantizers import EMAConfig
from raysweep.schema import parse
from tests.tiny import frames

SMALL = {"hidden": 8, "res_channels": 4, "quantizer": EMAConfig(codebook_size=16, embedding_dim=4)}


def built(**settings):
    torch.manual_seed(0)
    return HierarchicalConfig(**{**SMALL, **settings}).build()


# As the public implementation counts them: parameters, without the codebooks, which are buffers.
PUBLISHED = [
    ((4, 2), 64, 195, 2_281_195),
    ((8, 4, 2), 64, 338, 4_276_424),
    ((8, 4, 2), 32, 338, 3_390_920),
]


@pytest.mark.parametrize(("rates", "res_channels", "keys", "parameters"), PUBLISHED)
def test_has_the_published_models_keys_and_parameters(rates, res_channels, keys, parameters):
    with torch.device("meta"):
        model = HierarchicalConfig(scaling_rates=rates, res_channels=res_channels).build()
    ours_alone = [key for key in model.state_dict() if key.endswith("quantize.updates")]
    assert len(ours_alone) == len(rates)
    assert len(model.state_dict()) == keys + len(ours_alone)
    assert sum(p.numel() for p in model.parameters()) == parameters


@pytest.mark.parametrize(
    "key",
    [
        "encoders.0.layers.1.1.running_mean",
        "encoders.1.layers.3.stack.1.alpha",
        "encoders.1.layers.3.stack.0.layers.4.weight",
        "codebooks.0.conv_in.weight",
        "codebooks.1.quantize.embedding.embed_avg",
        "decoders.0.layers.3.0.weight",
        "decoders.1.layers.1.stack.0.layers.0.weight",
        "upscalers.0.stages.0.1.num_batches_tracked",
    ],
)
def test_keys_are_the_published_ones_but_for_the_quantizers(key) -> None:
    with torch.device("meta"):
        assert key in HierarchicalConfig().build().state_dict()


RATES = [(2,), (4, 2), (2, 2, 4), (8, 4, 2), (2, 2, 2, 2)]


@pytest.mark.parametrize("rates", RATES)
def test_levels_are_finest_first_each_smaller_by_its_rate(rates) -> None:
    model = built(scaling_rates=rates)
    factor, factors = 1, []
    for rate in rates:
        factor *= rate
        factors.append(factor)
    assert model.downsampling == tuple(factors)
    decoded = model(frames(2, 64))
    assert decoded.frames_NCHW.shape == (2, 3, 64, 64)
    assert [codes.shape[1] for codes in decoded.codes] == [64 // factor for factor in factors]


@pytest.mark.parametrize("rates", RATES)
@torch.no_grad()
def test_the_frames_are_made_of_every_level(rates) -> None:
    model = built(scaling_rates=rates)
    codes = model(frames(4, 64)).codes
    plain = model.decode_codes(codes)
    for level, ids in enumerate(codes):
        changed = (*codes[:level], (ids + 1) % 16, *codes[level + 1 :])
        assert not torch.equal(model.decode_codes(changed), plain)


@torch.no_grad()
def test_a_finer_code_is_chosen_knowing_the_coarser_ones() -> None:
    model = built()
    model(frames(4))
    model.eval()
    before = model.encode(frames(4)).codes
    model.codebooks[1].quantize.embedding.weight += 1
    assert not torch.equal(model.encode(frames(4)).codes[0], before[0])


@pytest.mark.parametrize("rates", RATES)
def test_the_running_statistics_move_once_a_step(rates) -> None:
    model = built(scaling_rates=rates)
    for _ in range(3):
        model(frames(2, 64))
    moves = {k: int(v) for k, v in model.state_dict().items() if k.endswith("batches_tracked")}
    assert set(moves.values()) == {3}


@pytest.mark.parametrize(("wide", "narrowest"), [(False, 3), (True, 4)])
def test_the_published_decoder_is_as_narrow_as_a_frame_and_a_wide_one_is_not(wide, narrowest):
    decoder = built(scaling_rates=(8, 2), wide_decoder=wide).decoders[0]
    grown = [layer.out_channels for layer in decoder.modules() if type(layer) is nn.ConvTranspose2d]
    assert grown == [4, narrowest, narrowest]


def test_residual_blocks_start_as_the_identity() -> None:
    stack = built().encoders[0].layers[-1]
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(stack(x), x)


@pytest.mark.parametrize("rates", [[3, 2], [4, 1], [0], [4, -2], []])
def test_rates_that_do_not_halve_are_refused(rates) -> None:
    with pytest.raises(ConfigError, match="scaling_rates"):
        parse(HierarchicalConfig, {"scaling_rates": rates})
