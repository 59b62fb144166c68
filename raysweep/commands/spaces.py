"""Finding a search space: one of `search_spaces`, or anybody's .py file."""

import importlib.util
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import search_spaces
from raysweep.errors import ConfigError
from raysweep.schema import Tree
from raysweep.search.study import Space
from raysweep.spelling import nearest


@dataclass(frozen=True)
class LoadedSpace:
    space: Space
    base: Tree
    """Settings of every trial, weaker than the config file."""
    sweep: Tree
    """Settings of the search itself."""
    source: str


def load_space(name: str) -> LoadedSpace:
    """`taming_vqgan`, or a path that ends in .py; ConfigError when there is none, or it has no `space`."""
    path = Path(name) if name.endswith(".py") else Path(search_spaces.__path__[0]) / f"{name}.py"
    if not path.is_file():
        raise ConfigError(_absent(name))
    module = _execute(path)
    if not callable(getattr(module, "space", None)):
        raise ConfigError(
            f"{path} must define space(trial), and does not. See search_spaces/smoke.py."
        )
    return LoadedSpace(
        module.space,
        getattr(module, "BASE", {}),
        getattr(module, "SWEEP", {}),
        path.read_text(),
    )


def _absent(name: str) -> str:
    if name.endswith(".py"):
        return f"there is no search space file {name!r}. Name an existing .py file."
    known = sorted(module.name for module in pkgutil.iter_modules(search_spaces.__path__))
    near = nearest(name, known)
    hint = f"Did you mean {near!r}? " if near else ""
    return f"there is no search space {name!r}. {hint}Known: {', '.join(known)}, or the path of a .py file."


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"raysweep_space_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a space is somebody's own code, and may raise anything
        raise ConfigError(
            f"the search space {path} must load, and raised {type(error).__name__}: {error}. Correct the file."
        ) from error
    return module
