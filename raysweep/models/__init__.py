"""The tokenizer families: `model.kind` chooses. A new family is a file here and a line in the union."""

from raysweep.models.taming import TamingConfig
from raysweep.models.tokenizer import Decoded, Encoded, Tokenizer

ModelConfig = TamingConfig
"""Becomes a union discriminated by `kind` with the second family."""

__all__ = ["Decoded", "Encoded", "ModelConfig", "TamingConfig", "Tokenizer"]
