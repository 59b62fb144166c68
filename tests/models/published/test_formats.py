"""What is written for public code has its names, comes back unchanged, and is refused where it has no such model."""

from pathlib import Path

import pytest
import torch

from raysweep.config import RunConfig
from raysweep.errors import ConfigError
from raysweep.models.published.fitting import open_checkpoint
from raysweep.models.published.formats import FORMATS
from raysweep.schema import Tree, merge
from tests.models.pairs import FAMILIES, PAIRS, QUANTIZERS
from tests.tiny import tiny_run

WIDE = {**FAMILIES["taming_vqgan"], "ch": 32}
WRITABLE = {
    ("taming", "gradient"): WIDE,
    ("taming", "ema"): WIDE,
    ("vqvae2", "ema"): FAMILIES["hierarchical"],
}


def _run(family: Tree, quantizer: str, **changes) -> RunConfig:
    model = merge(family, {"quantizer": QUANTIZERS[quantizer]})
    return tiny_run({"discriminator.norm": "batch", **changes, "model": model})


@pytest.mark.parametrize(("form", "quantizer"), WRITABLE)
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_what_is_written_comes_back(form, quantizer, norm, tmp_path: Path) -> None:
    family = WRITABLE[form, quantizer]
    run = _run(family, quantizer, **{"discriminator.norm": norm})
    tokenizer, discriminator = run.model.build(), run.discriminator.build()
    tokenizer(torch.rand(2, 3, 32, 32) * 2 - 1)  # statistics of its own
    tree = FORMATS[form](run.model, tokenizer.state_dict(), discriminator.state_dict())
    torch.save(tree, tmp_path / "best.ckpt")
    again = _run({**family, "checkpoint": str(tmp_path / "best.ckpt")}, quantizer)
    start = open_checkpoint(again.model, tokenizer, discriminator)
    counts = [name for name in start.tokenizer if name.endswith(".updates")]  # has no place there
    before, after = (
        {name: tensor for name, tensor in state.items() if name not in counts}
        for state in (tokenizer.state_dict(), start.tokenizer)
    )
    torch.testing.assert_close(after, before, atol=0, rtol=0)
    goes_along = form == "taming" and norm == "batch"
    assert start.discriminator == {} or goes_along
    if goes_along:
        wanted = dict(discriminator.state_dict())
        torch.testing.assert_close(start.discriminator, wanted, atol=0, rtol=0)


REFUSED = [
    *(
        (form, pair)
        for form, pair in ((f, p) for f in FORMATS for p in PAIRS)
        if (form, *pair.split("-"))
        not in {
            ("taming", "taming_vqgan", "gradient"),
            ("taming", "taming_vqgan", "ema"),
            ("vqvae2", "hierarchical", "ema"),
        }
    )
]


@pytest.mark.parametrize(("form", "pair"), REFUSED)
def test_a_model_that_the_code_has_not_is_refused(form, pair) -> None:
    run = tiny_run({"model": PAIRS[pair]})
    with pytest.raises(ConfigError, match=f"the {form} format holds .* Export it without --format"):
        FORMATS[form](run.model, {}, {})


@pytest.mark.parametrize(
    ("form", "family", "said"),
    [
        ("taming", FAMILIES["taming_vqgan"], "multiples of 32"),
        ("taming", {**WIDE, "double_z": True}, "without double_z"),
        ("vqvae2", {**FAMILIES["hierarchical"], "wide_decoder": True}, "wide_decoder false"),
    ],
)
def test_sizes_that_the_code_has_not_are_refused(form, family, said) -> None:
    with pytest.raises(ConfigError, match=said):
        FORMATS[form](_run(family, "ema").model, {}, {})
