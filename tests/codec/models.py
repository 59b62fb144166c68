"""Exported folders of untrained models: what a codec promises does not hang on how well one reconstructs."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from raysweep.models import Tokenizer
from raysweep.schema import Tree
from tests.models.pairs import FAMILIES
from tests.tiny import EMA, tiny_parts, tiny_run

CONV: Tree = {"model": {**FAMILIES["conv"], "quantizer": EMA}}
"""Convolutions alone: quick on frames of any size."""
TWO_LEVELS: Tree = {"model": {**FAMILIES["hierarchical"], "quantizer": EMA}}


def export_untrained(folder: Path, changes: Tree) -> Path:
    """Its codes are spread over those that there are."""
    tokenizer = tiny_parts(changes).state.tokenizer
    _spread(tokenizer)
    folder.mkdir(parents=True)
    settings = tiny_run(changes).model_dump(mode="json")
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(tokenizer.state_dict(), folder / "model.safetensors")
    return folder


def _spread(tokenizer: Tokenizer) -> None:
    """A codebook starts with vectors of the latent of noise."""
    tokenizer.train()
    with torch.no_grad():
        for _ in range(3):
            tokenizer.encode(torch.rand(8, 3, 32, 32) * 2 - 1)
