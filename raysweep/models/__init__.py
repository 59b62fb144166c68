"""The tokenizer families: `model.kind` chooses. A new family is a file here and a line in the union."""

from typing import Annotated, get_args

from pydantic import Field, TypeAdapter

from raysweep.errors import ConfigError
from raysweep.models.conv import ConvConfig
from raysweep.models.grouped import GroupedConfig
from raysweep.models.hierarchical import HierarchicalConfig
from raysweep.models.taming import TamingConfig
from raysweep.models.tokenizer import Decoded, Encoded, Tokenizer
from raysweep.schema import Config, Tree
from raysweep.spelling import nearest

ModelConfig = Annotated[
    TamingConfig | GroupedConfig | HierarchicalConfig | ConvConfig, Field(discriminator="kind")
]
KINDS: tuple[str, ...] = tuple(
    family.model_fields["kind"].default for family in get_args(get_args(ModelConfig)[0])
)

ALIASES: dict[str, Tree] = {
    "VqVae": {"kind": "grouped"},
    "VqVae2": {"kind": "grouped"},  # spelt so; in any other letter case it is the next line's
    "VQVAE2": {"kind": "hierarchical"},
    "VqVaeOptVQ": {"kind": "grouped", "quantizer": {"kind": "optvq"}},
    "VQVAE2_OptVQ": {"kind": "hierarchical", "quantizer": {"kind": "optvq"}},
    "TamingVQGAN": {"kind": "taming_vqgan"},
    "TamingVQModel": {"kind": "taming_vqgan"},
    "VQGAN": {"kind": "taming_vqgan"},
    "EMAVQ": {"kind": "taming_vqgan", "quantizer": {"kind": "ema"}},
    "VQVAEModel": {"kind": "conv"},
}
"""An earlier system's name for a family -> its settings here; a quantizer where the name says which.
Letter case, `_` and `-` are ignored, except that VqVae2 and VQVAE2 are two families."""


def called(name: str) -> Tree:
    """A family's name, or an alias of one -> the settings it stands for; ConfigError for any other."""
    names = ALIASES | {kind: {"kind": kind} for kind in KINDS}
    spelt = {_plain(known): settings for known, settings in names.items()}
    folded = {known.lower(): settings for known, settings in spelt.items()}
    plain = _plain(name)
    found = spelt.get(plain, folded.get(plain.lower()))
    if found is None:
        raise ConfigError(_unknown(name))
    return found


def defaults(kind: str) -> Tree:
    """All settings of a family."""
    family: Config = TypeAdapter(ModelConfig).validate_python({"kind": kind})
    return family.model_dump()


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "")


def _unknown(name: str) -> str:
    known = {_plain(word).lower(): word for word in (*ALIASES, *KINDS)}
    near = nearest(_plain(name).lower(), known)
    hint = f" Did you mean {known[near]!r}?" if near else ""
    return f"model.kind must be one of {', '.join(KINDS)} or an earlier name of theirs, got {name!r}.{hint}"


__all__ = [
    "ALIASES",
    "KINDS",
    "ConvConfig",
    "Decoded",
    "Encoded",
    "GroupedConfig",
    "HierarchicalConfig",
    "ModelConfig",
    "TamingConfig",
    "Tokenizer",
    "called",
    "defaults",
]
