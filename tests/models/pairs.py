"""Every family with every quantizer, small: what the contract suite runs over.

A new family or quantizer is a line here; a test compares both tables with the unions in `raysweep.models`.
"""

from pydantic import TypeAdapter

from raysweep.models import ModelConfig
from raysweep.schema import Tree, merge
from tests.tiny import EMA, SETTINGS

FAMILIES: dict[str, Tree] = {
    "taming_vqgan": SETTINGS["model"],
    "grouped": {"kind": "grouped", "group_count": 3, "hidden": 8, "blocks_per_group": 1},
    "hierarchical": {
        "kind": "hierarchical",
        "hidden": 8,
        "res_channels": 4,
        "nb_res_layers": 1,
        "scaling_rates": [4, 2],
    },
    "conv": {
        "kind": "conv",
        "latent_channels": 12,
        "encoder_channels": [8, 12],
        "decoder_channels": [12, 8],
        "num_res_blocks": 1,
    },
}
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
