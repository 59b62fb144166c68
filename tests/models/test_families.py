"""Every name that a family has or had."""

import pytest

from raysweep.errors import ConfigError
from raysweep.models import ALIASES, KINDS, called

# As the earlier system's documents and users write them -> family, and the quantizer that the name says.
NAMES = [
    ("VqVae VqVae2 vq_vae vqvae VQ-VAE Vq_Vae2", "grouped", None),
    ("vqvaeoptvq VqVae_OptVQ", "grouped", "optvq"),
    ("VQVAE2 vqvae2 VQ-VAE-2 vq_vae_2", "hierarchical", None),
    ("VQVAE2_OptVQ vqvae2_optvq Vqvae2OptVQ vqvae2optvq", "hierarchical", "optvq"),
    ("TamingVQGAN taming_vqgan TamingVQModel taming_vqmodel VQGAN vqgan", "taming_vqgan", None),
    ("EMAVQ emavq ema-vq", "taming_vqgan", "ema"),
    ("VQVAEModel vqvae_model", "conv", None),
    ("Grouped HIERARCHICAL Conv", "", None),
]
ROWS = [
    (name, kind or name.lower(), quantizer)
    for names, kind, quantizer in NAMES
    for name in names.split()
]


@pytest.mark.parametrize(("name", "kind", "quantizer"), ROWS)
def test_a_name_in_any_spelling_stands_for_a_family(name, kind, quantizer) -> None:
    settings = called(name)
    assert settings["kind"] == kind
    assert settings.get("quantizer", {}).get("kind") == quantizer


@pytest.mark.parametrize("name", [*ALIASES, *KINDS])
def test_a_listed_name_stands_for_what_is_listed(name) -> None:
    assert called(name) == ALIASES.get(name, {"kind": name})


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("emvaq", "'EMAVQ'"),
        ("hierachical", "'hierarchical'"),
        ("taming_vqgn", "'taming_vqgan'"),
        ("vqvae2_optv", "'VQVAE2_OptVQ'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(name, near) -> None:
    with pytest.raises(ConfigError, match=rf"got '{name}'\. Did you mean {near}\?"):
        called(name)
    with pytest.raises(ConfigError, match=r"must be one of taming_vqgan, .* got '~'\.$"):
        called("~")
