"""Finding a search space: one of `search_spaces`, or anybody's .py or YAML file."""

import importlib.util
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import search_spaces
from raysweep.errors import ConfigError
from raysweep.schema import Tree
from raysweep.search.space_file import parse_space
from raysweep.search.study import Space
from raysweep.spelling import nearest


@dataclass(frozen=True)
class LoadedSpace:
    space: Space
    question: str
    """What it is to answer, in the words of its author."""
    base: Tree
    """Settings of every trial, weaker than the config file."""
    sweep: Tree
    """Settings of the search itself."""
    source: str
    suffix: str
    """Of a file that holds the source: `.py` or `.yaml`."""


def load_space(name: str) -> LoadedSpace:
    """`taming_vqgan`, or a path that ends in .py, .yaml or .yml; ConfigError when there is none, or it is wrong."""
    path = Path(name)
    if path.suffix not in _READERS:
        path = Path(search_spaces.__path__[0]) / f"{name}.py"
    if not path.is_file():
        raise ConfigError(_absent(name))
    return _READERS[path.suffix](path)


def _read_python(path: Path) -> LoadedSpace:
    module = _execute(path)
    if not callable(getattr(module, "space", None)):
        raise ConfigError(
            f"{path} must define space(trial), and does not. See search_spaces/smoke.py."
        )
    return LoadedSpace(
        module.space,
        inspect.cleandoc(module.__doc__ or ""),
        getattr(module, "BASE", {}),
        getattr(module, "SWEEP", {}),
        path.read_text(encoding="utf-8"),
        ".py",
    )


def _read_yaml(path: Path) -> LoadedSpace:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"search space {path} must be UTF-8, and is not. Save it so.") from None
    space = parse_space(text, str(path))
    return LoadedSpace(space, space.question, space.base, space.sweep, text, ".yaml")


_READERS: dict[str, Callable[[Path], LoadedSpace]] = {
    ".py": _read_python,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}


def _absent(name: str) -> str:
    suffix = Path(name).suffix
    if suffix in _READERS:
        return f"there is no search space file {name!r}. Name an existing {suffix} file."
    known = sorted(module.name for module in pkgutil.iter_modules(search_spaces.__path__))
    near = nearest(name, known)
    hint = f"Did you mean {near!r}? " if near else ""
    return (
        f"there is no search space {name!r}. {hint}Known: {', '.join(known)}, or the path of a .py or "
        ".yaml file."
    )


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
