"""Every family with every quantizer, small: what the contract suite runs over.

A new family or quantizer is a line here; a test compares both tables with the unions in `raysweep.models`.
"""

from pydantic import TypeAdapter

from raysweep.models import ModelConfig
from raysweep.schema import Tree, merge
from tests.tiny import EMA, SETTINGS

FAMILIES: dict[str, Tree] = {"taming_vqgan": SETTINGS["model"]}
"""Model settings without a quantizer's; frames of 32 px give several code positions."""

QUANTIZERS: dict[str, Tree] = {
    "gradient": SETTINGS["model"]["quantizer"],
    "ema": EMA,
    "optvq": EMA | {"kind": "optvq", "heads": 2},
    "cosine": EMA | {"kind": "cosine", "code_dim": 4},
    "residual": EMA | {"kind": "residual", "stages": 3},
    "simvq": EMA | {"kind": "simvq"},
    "fsq": EMA | {"kind": "fsq"},
    "lfq": EMA | {"kind": "lfq"},
}

PAIRS = {
    f"{family}-{quantizer}": merge(FAMILIES[family], {"quantizer": QUANTIZERS[quantizer]})
    for family in FAMILIES
    for quantizer in QUANTIZERS
}


def model_config(pair: str) -> ModelConfig:
    """`"taming_vqgan-ema"` -> its settings."""
    config: ModelConfig = TypeAdapter(ModelConfig).validate_python(PAIRS[pair])
    return config
