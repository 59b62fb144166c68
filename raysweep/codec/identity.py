"""Which model a token file is of: its codes mean nothing to another."""

import hashlib
import json

import torch

from raysweep.models import ModelConfig, Tokenizer

STARTS = {"checkpoint", "checkpoint_bgr"}
"""Settings of where a run began, which is no part of the model that came of it."""


def identity(tokenizer: Tokenizer, config: ModelConfig) -> bytes:
    """SHA-256 of the settings that were given and of every weight, by name; 32 bytes.

    A setting that a later raysweep adds was not given, and changes nothing.
    """
    settings = config.model_dump(mode="json", exclude_unset=True, exclude=STARTS)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, weight in sorted(tokenizer.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.digest()
