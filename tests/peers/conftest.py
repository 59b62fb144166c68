"""Public reference implementations, where the environment variable RAYSWEEP_PEERS names the folder of their clones.

`taming-transformers`, `OptVQ` and `vqvae-2` by those names, and `site`, a folder that pip filled with
`--target` (diffusers). What they import beside torch is stood in for, as far as their models never use it.
"""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from torch import nn


@pytest.fixture(scope="session")
def peers() -> Path:
    if "RAYSWEEP_PEERS" not in os.environ:
        pytest.skip("RAYSWEEP_PEERS does not name the folder of the public implementations")
    return Path(os.environ["RAYSWEEP_PEERS"])


@pytest.fixture(scope="session")
def taming(peers: Path) -> Iterator[ModuleType]:
    """taming.models.vqgan."""
    lightning, main = ModuleType("pytorch_lightning"), ModuleType("main")
    lightning.LightningModule = nn.Module
    main.instantiate_from_config = _instantiate
    stand_ins = {"pytorch_lightning": lightning, "main": main}
    with _importing(peers / "taming-transformers", "taming.models.vqgan", stand_ins) as module:
        yield module


@pytest.fixture(scope="session")
def diffusers(peers: Path) -> Iterator[ModuleType]:
    with _importing(peers / "site", "diffusers", {}) as module:
        yield module


def _instantiate(config: dict[str, Any]) -> Any:
    """As taming's main.py does, which needs Lightning."""
    module, _, name = config["target"].rpartition(".")
    return getattr(import_module(module), name)(**config.get("params", {}))


class _importing:
    """A module of a peer; its folder comes last on the path, and what it brought goes with it."""

    def __init__(self, folder: Path, name: str, stand_ins: dict[str, ModuleType]) -> None:
        self.folder, self.name, self.stand_ins = str(folder), name, stand_ins

    def __enter__(self) -> ModuleType:
        self.before = set(sys.modules)
        sys.path.append(self.folder)
        sys.modules.update(self.stand_ins)
        try:
            return import_module(self.name)
        except ImportError as error:
            self.__exit__()
            pytest.skip(f"{self.name} cannot be imported from {self.folder}: {error}")

    def __exit__(self, *_: object) -> None:
        sys.path.remove(self.folder)
        for name in set(sys.modules) - self.before:
            if name.split(".")[0] in (self.name.split(".")[0], *self.stand_ins):
                del sys.modules[name]
