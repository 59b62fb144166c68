"""What every quantizer promises beyond the tokenizers' contract suite, and the settings that it refuses."""

import pytest
import torch
from pydantic import TypeAdapter

from raysweep.errors import ConfigError
from raysweep.models import TamingConfig
from raysweep.models.quantizers import Quantizer, QuantizerConfig
from raysweep.schema import Tree, parse
from tests.models.pairs import QUANTIZERS
from tests.models.quantizers.latents import latent

DIM = 8
SETTINGS = QUANTIZERS | {
    "optvq that draws": QUANTIZERS["optvq"] | {"use_prob": True},
    "optvq by cross-entropy": QUANTIZERS["optvq"] | {"loss": "ce", "use_proj": False},
    "cosine unprojected": QUANTIZERS["cosine"] | {"code_dim": None},
    "one stage": QUANTIZERS["residual"] | {"stages": 1},
    "fsq unprojected": {"kind": "fsq", "codebook_size": 8**3, "embedding_dim": 3},
    "lfq unprojected": {"kind": "lfq", "codebook_size": 2**5, "embedding_dim": 5},
}
DIMS = {"fsq unprojected": 3, "lfq unprojected": 5}


@pytest.fixture(params=SETTINGS)
def name(request) -> str:
    return request.param


@pytest.fixture
def quantizer(name) -> Quantizer:
    torch.manual_seed(0)
    quantizer: Quantizer = TypeAdapter(QuantizerConfig).validate_python(SETTINGS[name]).build()
    return quantizer


@pytest.fixture
def dim(name) -> int:
    return DIMS.get(name, DIM)


def test_the_table_has_every_kind() -> None:
    schema = TypeAdapter(QuantizerConfig).json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(QUANTIZERS)


@pytest.mark.parametrize("training", [True, False])
def test_codes_stand_for_the_latent_that_they_came_with(quantizer, dim, training) -> None:
    quantizer(latent(dim=dim))
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    quantized = quantizer.train(training)(latent(1, dim=dim))
    quantizer.load_state_dict(before)  # a moving average gives the codes of before its update
    stands_for = quantizer.vectors(quantized.codes)
    torch.testing.assert_close(stands_for, quantized.latent_NDhw, atol=1e-5, rtol=0)


def test_quantizes_in_float32_whatever_the_autocast(quantizer, dim) -> None:
    quantizer(latent(dim=dim))
    quantizer.eval()
    plain = quantizer(latent(dim=dim))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = quantizer(latent(dim=dim))
    assert within.latent_NDhw.dtype == within.loss.dtype == torch.float32
    assert all(torch.equal(a, b) for a, b in zip(within.codes, plain.codes, strict=True))
    assert torch.equal(within.loss, plain.loss)


UNWEIGHTED = ["fsq", "fsq unprojected", "optvq by cross-entropy"]
"""Those whose loss has no commitment term."""


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in UNWEIGHTED])
def test_the_commitment_is_what_beta_weighs(name, dim) -> None:
    """And what it weighs has this value everywhere, where it weighs the codebook term too."""
    weighed = []
    for beta in (0.0, 1.0):
        torch.manual_seed(0)
        settings = SETTINGS[name] | {"beta": beta}
        quantizer = TypeAdapter(QuantizerConfig).validate_python(settings).build().eval()
        weighed.append(quantizer(latent(dim=dim)))
    without, within = weighed
    torch.testing.assert_close(within.loss - without.loss, within.commitment, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", UNWEIGHTED)
def test_without_a_commitment_term_the_commitment_is_the_distance(name, dim, quantizer) -> None:
    quantized = quantizer(latent(dim=dim))
    distance = (latent(dim=dim) - quantizer.vectors(quantized.codes)).square().mean()
    torch.testing.assert_close(quantized.commitment, distance.detach())


@pytest.mark.parametrize("spread", [0.0, 1e-30, 1e4])
def test_is_finite_whatever_the_latents_length(quantizer, dim, spread) -> None:
    leaf = latent(spread=spread, dim=dim).requires_grad_()
    quantized = quantizer(leaf)
    (quantized.latent_NDhw.square().mean() + quantized.loss).backward()
    assert quantized.latent_NDhw.isfinite().all()
    assert leaf.grad is not None
    assert all(p.grad.isfinite().all() for p in [leaf, *quantizer.parameters()])


def test_is_built_without_memory(name) -> None:
    """But for FSQ's two small projections: the library reads its levels back on making them."""
    with torch.device("meta"):
        quantizer = TypeAdapter(QuantizerConfig).validate_python(SETTINGS[name]).build()
    real = [path for path, value in quantizer.named_parameters() if not value.is_meta]
    assert all(path.startswith("fsq.project_") for path in real)


REFUSED: dict[str, tuple[Tree, str]] = {
    "heads": (
        {"kind": "optvq", "heads": 3, "embedding_dim": 8},
        "a multiple of heads, got 8 and 3. Set embedding_dim to 9.",
    ),
    "power of two": (
        {"kind": "lfq", "codebook_size": 1000},
        "a power of two for LFQ, got 1000. Set it to 1024.",
    ),
    "one id": ({"kind": "lfq", "codebook_size": 1}, "got 1. Set it to 2."),
    "prime": (
        {"kind": "fsq", "codebook_size": 1021},
        "levels from 3 to 16 for FSQ, got 1021. Set it to 1014 or 1024.",
    ),
    "two ids": ({"kind": "fsq", "codebook_size": 2}, "got 2. Set it to 3."),
    "no stage": ({"kind": "residual", "stages": 0}, "quantizer.stages: .* got 0"),
    "revival": ({"kind": "ema", "revive_below": 0.6}, "quantizer.revive_below: .* got 0.6"),
    "start": ({"kind": "ema", "start": "ones"}, "'data', 'normal' or 'zeros', got 'ones'"),
    "no dimension": ({"kind": "cosine", "code_dim": 0}, "quantizer.code_dim: .* got 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_settings_are_refused_with_the_next_step(case) -> None:
    quantizer, message = REFUSED[case]
    with pytest.raises(ConfigError, match=message):
        parse(TamingConfig, {"kind": "taming_vqgan", "quantizer": quantizer})
