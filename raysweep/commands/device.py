"""Where a model that is not trained computes."""

import torch

from raysweep.errors import ConfigError, ResourceError


def device_of(word: str) -> torch.device:
    """`cpu`, `cuda`, `cuda:N`, or `auto`: a GPU where there is one."""
    kind, _, number = word.partition(":")
    if word == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if word != "cpu" and (kind != "cuda" or not (number or "0").isdecimal()):
        raise ConfigError(
            f"--device must be cpu, cuda, cuda:N or auto, got {word!r}. Choose one of them."
        )
    if word != "cpu" and int(number or 0) >= torch.cuda.device_count():
        raise ResourceError(
            f"--device {word} needs that GPU, and this machine has {torch.cuda.device_count()}. Set it to cpu or auto."
        )
    return torch.device(word)
