"""A model's folder: what is in it, and how it comes from the Hugging Face Hub, which holds such folders."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from raysweep.config import RunConfig

WEIGHTS, SETTINGS = "model.safetensors", "config.json"
TOLD = ("README.md", "metrics.json", "reconstructions.png")
"""What tells people of the model, and goes with it where it is there."""
TAGS = ("video-tokenizer", "image-tokenizer", "vector-quantization", "vq-vae", "vq-gan")
"""By which the model is found on the Hub."""


def write_model(folder: Path, config: RunConfig, weights: Mapping[str, Tensor]) -> None:
    """The settings that were given, and the tokenizer's weights as safetensors.

    One that a later raysweep adds was not given: the model stays the same to `codec/identity.py`.
    """
    state = {name: tensor.contiguous() for name, tensor in weights.items()}
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    given = config.model_dump(mode="json", exclude_unset=True)
    (folder / SETTINGS).write_text(json.dumps(given, indent=2))


def copy_told(source: Path, target: Path) -> None:
    """The files of TOLD that `source` has and `target` has not."""
    for name in TOLD:
        if (source / name).is_file() and not (target / name).exists():
            shutil.copyfile(source / name, target / name)


def folder_of(model: str, **options: Any) -> Path:
    """The folder `model`, or else a copy of the Hub's repository of that name.

    `options`: those of `huggingface_hub.snapshot_download`, whose errors are raised.
    """
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download  # here, since a folder does without a network

    wanted = [WEIGHTS, SETTINGS, *TOLD]
    return Path(snapshot_download(model, allow_patterns=wanted, **options))
