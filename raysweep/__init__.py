"""raysweep finds, trains and exports the best discrete video tokenizer for a folder of videos.

Importing it imports neither torch nor Ray: the public names below load on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raysweep.config import RunConfig as RunConfig
    from raysweep.pretrained import load as load

_HOME = {"load": "raysweep.pretrained", "RunConfig": "raysweep.config"}

__all__ = ["RunConfig", "load"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'raysweep' has no attribute {name!r}")
