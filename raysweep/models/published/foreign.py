"""Reads somebody else's checkpoint file: tensors and plain values, and no code of the file is run.

A pickle says which functions to call. torch's own reader of plain tensors comes first. Published files often
hold more (callbacks, NumPy scalars, configurations of classes that exist no more): for them a second reader
knows the few functions that make tensors, and puts `Inert` for every other name, which does nothing.
"""

import pickle
import struct
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import _utils

from raysweep.errors import ConfigError

_IN_A_FOLDER = ("model.safetensors", "state.pt")
"""What an exported model, and a run's checkpoint, keep their weights in."""

_MAKE_TENSORS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): _utils._rebuild_parameter,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): torch.Size,
}

_UNREADABLE = (
    pickle.UnpicklingError,
    SafetensorError,
    zipfile.BadZipFile,
    struct.error,
    AssertionError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the readers raise for damaged files: pickle's documentation sets no bound."""


class Inert:
    """Stands for any class, function or object of a file: it may be made, called, filled and given a state."""

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __call__(self, *_: Any, **__: Any) -> "Inert":
        return self

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def add(self, _: Any) -> None: ...


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in _MAKE_TENSORS:
            return Inert
        known = _MAKE_TENSORS[module_name, global_name]
        # A pickle may set attributes of what it found: it gets a wrapper of its own, or a built-in class.
        return known if isinstance(known, type) else lambda *arguments: known(*arguments)


class _InertPickle:
    """What torch.load asks of a pickle module."""

    Unpickler = _Unpickler

    @staticmethod
    def load(file: BinaryIO, **options: Any) -> Any:
        return _Unpickler(file, **options).load()


def read(path: Path) -> Any:
    """What torch.save or safetensors wrote to a file, or to a folder of ours; tensors on the CPU.

    Raises ConfigError for a path that is absent or not such a file.
    """
    file = _file(path)
    try:
        return load_file(file) if file.suffix == ".safetensors" else _read_pickle(file)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:120]
        raise ConfigError(
            f"model.checkpoint must be a file that torch.save or safetensors wrote, {file} cannot be read "
            f"({type(error).__name__}: {reason}). Fetch it again, or name another one."
        ) from error


def _file(path: Path) -> Path:
    candidates = [path / name for name in _IN_A_FOLDER] if path.is_dir() else [path]
    for file in candidates:
        if file.is_file():
            return file
    lacks = f" with {' or '.join(_IN_A_FOLDER)}" if path.is_dir() else ""
    raise ConfigError(
        f"model.checkpoint must be a file or folder that exists{lacks}, got {path}. Correct the path."
    )


def _read_pickle(file: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch's, about the protocol and about sources of unused classes
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            _require_plain_archive(file)
        return torch.load(file, map_location="cpu", weights_only=False, pickle_module=_InertPickle)


def _require_plain_archive(file: Path) -> None:
    """Refuses the two formats that torch.load hands to readers of their own: TorchScript, and tar of 2017."""
    names = zipfile.ZipFile(file).namelist() if zipfile.is_zipfile(file) else []
    if tarfile.is_tarfile(file) or any(Path(name).name == "constants.pkl" for name in names):
        raise RuntimeError("a program or a tar archive, not a file of tensors")
