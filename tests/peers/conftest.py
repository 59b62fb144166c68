"""Public reference implementations, where the environment variable RAYSWEEP_PEERS names the folder of their clones.

`taming-transformers`, `OptVQ` and `vqvae-2` by those names, and `site`, a folder that pip filled with
`--target` (diffusers). What they import beside torch is stood in for, as far as their models never use it.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType, SimpleNamespace
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
    with _importing(peers / "site", "diffusers") as module:
        yield module


@pytest.fixture(scope="session")
def vqvae2(peers: Path) -> Iterator[ModuleType]:
    """vqvae."""
    with _importing(peers / "vqvae-2", "vqvae") as module:
        yield module


@pytest.fixture(scope="session")
def optvq(peers: Path) -> Iterator[SimpleNamespace]:
    """Its model, and the modules of its parts."""
    logger = ModuleType("optvq.utils.logger")
    logger.GET_STATS, logger.log = False, SimpleNamespace(add_scalar=lambda *_: None)
    stand_ins = {"optvq.utils": ModuleType("optvq.utils"), "optvq.utils.logger": logger}
    with _importing(peers / "OptVQ" / "src", "optvq.models.vqgan", stand_ins) as module:
        yield SimpleNamespace(
            VQModel=module.VQModel,
            backbone=import_module("optvq.models.backbone.diffusion"),
            quantizer=import_module("optvq.models.quantizer"),
        )


def _instantiate(config: dict[str, Any]) -> Any:
    """As taming's main.py does, which needs Lightning."""
    module, _, name = config["target"].rpartition(".")
    return getattr(import_module(module), name)(**config.get("params", {}))


@contextmanager
def _importing(
    folder: Path, name: str, stand_ins: Mapping[str, ModuleType] = MappingProxyType({})
) -> Iterator[ModuleType]:
    """A peer's module; its folder comes last on the path, and what was imported from it goes with it."""
    sys.path.append(str(folder))
    sys.modules.update(stand_ins)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what torch has renamed since
            yield import_module(name)
    except ImportError as error:
        pytest.skip(f"{name} cannot be imported from {folder}: {error}")
    finally:
        sys.path.remove(str(folder))
        for key, module in list(sys.modules.items()):
            if key in stand_ins or str(folder) in str(vars(module).get("__file__")):
                del sys.modules[key]
