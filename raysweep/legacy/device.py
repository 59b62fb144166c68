"""The old `device`: whether a run takes a GPU. Which one is Ray's business."""

from typing import Any

from raysweep.errors import ConfigError
from raysweep.legacy.rules import Rule, Sets

_GPUS = {"cpu": 0, "cuda": 1, "gpu": 1}


def device(gpus: float) -> Rule:
    """The rule of a machine with `gpus`: `cpu`, `cuda`, `cuda:2` or `auto` -> `cluster.gpus_per_worker`."""

    def rule(value: Any) -> Sets:
        return Sets({"cluster.gpus_per_worker": gpus_of(value, gpus)}, _note(str(value)))

    return rule


def gpus_of(name: Any, gpus: float) -> int:
    """GPUs of one worker on a machine with `gpus`."""
    kind, _, _ = str(name).casefold().partition(":")
    if kind == "auto":
        return int(gpus > 0)
    if kind not in _GPUS:
        raise ConfigError(f"must be cpu, cuda, cuda:N or auto, got {name!r}. Choose one of them")
    return _GPUS[kind]


def _note(name: str) -> str:
    if name.casefold() == "auto":
        return "a GPU where this machine has one"
    return "which GPU is Ray's business" if ":" in name else ""
