"""The README names what there is: every kind of model and quantizer, every recipe, and files that exist."""

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from raysweep.models import KINDS
from raysweep.models.quantizers import QuantizerConfig
from raysweep.presets import PRESETS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
QUANTIZERS = TypeAdapter(QuantizerConfig).json_schema()["discriminator"]["mapping"]


@pytest.mark.parametrize(
    ("setting", "kinds"), [("model.kind", KINDS), ("model.quantizer.kind", QUANTIZERS)]
)
def test_a_table_has_every_kind(setting, kinds) -> None:
    table = TEXT.split(f"| `{setting}` |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(kinds)


def test_every_recipe_is_named() -> None:
    assert all(f"`{name}`" in TEXT or f"loss.preset={name}`" in TEXT for name in PRESETS)


PATHS = set(re.findall(r"`((?:raysweep|tests|benchmarks|search_spaces)/[\w/.]*)`", TEXT))


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_file_that_is_named_exists(path) -> None:
    assert (ROOT / path).exists()
