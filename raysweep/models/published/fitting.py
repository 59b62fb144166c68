"""What a run takes over from a checkpoint: the part of a file that fits its networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.models.published.channels import discriminator_axes, swapped, tokenizer_axes
from raysweep.models.published.foreign import read
from raysweep.models.published.naming import Left, State, translate
from raysweep.models.quantizers.ema import SETTLED
from raysweep.models.tokenizer import Tokenizer, TokenizerConfig

Moments = dict[str, State]
"""Adam's state by the parameter's name: `step`, `exp_avg` and `exp_avg_sq` of each."""

STATISTICS = {".cluster_size": ".weight", ".embed_avg": ".weight", ".updates": ".embedding.weight"}
"""How the names end of what a moving-average codebook keeps beside its vectors, and of these vectors."""
AVERAGES = ("exp_avg", "exp_avg_sq")
"""What Adam keeps in the shape of a parameter."""


class Start(NamedTuple):
    """What a run takes over from a checkpoint; what is empty starts as it would without one."""

    tokenizer: State
    discriminator: State
    moments: Moments
    disc_moments: Moments
    left: Left


def open_checkpoint(
    config: TokenizerConfig, tokenizer: Tokenizer, discriminator: nn.Module
) -> Start:
    """Reads `config.checkpoint` for networks like these, which may lie on the meta device.

    Raises ConfigError where the file cannot be read or does not fit the tokenizer.
    """
    assert config.checkpoint is not None
    found = translate(read(config.checkpoint), config.checkpoint)
    state, left = _fitted(found.tokenizer, tokenizer, config.checkpoint)
    disc_state, disc_left = _fitted_discriminator(found.discriminator, discriminator)
    moments = _moments(found.optimizer, state, tokenizer)
    disc_moments = _moments(found.disc_optimizer, disc_state, discriminator)
    left = found.left | left | disc_left
    if found.optimizer and not moments:
        left["the optimizer's state"] = "it is of other parameters"
    if found.disc_optimizer and not disc_moments:
        left["the discriminator's optimizer's state"] = "it is of other parameters"
    start = Start(state, disc_state, moments, disc_moments, left)
    return _red_first(start, tokenizer, discriminator) if config.checkpoint_bgr else start


def describe(start: Start, path: Path) -> str:
    """A block for people: what a run takes over, and line by line what it leaves."""
    parts = {
        f"the tokenizer ({len(start.tokenizer)} tensors)": start.tokenizer,
        "the discriminator": start.discriminator,
        "the optimizer's state": start.moments,
        "the discriminator's optimizer's state": start.disc_moments,
    }
    taken = ", ".join(name for name, part in parts.items() if part)
    lines = [f"  leaves {name}: {why}" for name, why in start.left.items()]
    return "\n".join([f"starts from {path}", f"  takes {taken}", *lines])


def _fitted(theirs: State, tokenizer: Tokenizer, path: Path) -> tuple[State, Left]:
    """The tensors that the tokenizer takes; ConfigError where it is of another architecture."""
    ours = tokenizer.state_dict()
    surplus = [name for name in theirs if name not in ours and _codebook_of(name) in ours]
    taken = {name: tensor for name, tensor in theirs.items() if name not in surplus}
    taken |= _statistics(ours, theirs)
    if differences := _differences(ours, taken):
        raise ConfigError(
            f"the weights of model.checkpoint must fit the model, {path} {'; '.join(differences)}. "
            "Set model.* as it was trained, or name another file."
        )
    left = {_few(surplus): "the chosen quantizer keeps no averages"} if surplus else {}
    return taken, left


def _codebook_of(name: str) -> str:
    """The codebook that a tensor is a statistic of; empty: it is none."""
    found = (
        name.removesuffix(end) + book for end, book in STATISTICS.items() if name.endswith(end)
    )
    return next(found, "")


def _statistics(ours: State, theirs: State) -> State:
    """What a codebook that comes without averages needs to go on as one: codes that are used alike, and a
    start that is long over, so that no data replaces what was loaded."""
    made = {}
    for name in ours.keys() - theirs.keys():
        book = theirs.get(_codebook_of(name))
        if book is not None and name.endswith(".embed_avg"):
            made[name] = book.clone()
        elif book is not None:
            value = SETTLED if name.endswith(".updates") else 1
            made[name] = torch.full_like(ours[name], value, device="cpu")
    return made


def _fitted_discriminator(theirs: State, discriminator: nn.Module) -> tuple[State, Left]:
    if not theirs:
        return {}, {"the discriminator": "the file has none; it starts from random weights"}
    if differences := _differences(discriminator.state_dict(), theirs):
        why = f"the file {'; '.join(differences)}; it starts from random weights"
        return {}, {"the discriminator": why}
    return theirs, {}


def _differences(ours: State, theirs: State) -> list[str]:
    missing = [name for name in ours if name not in theirs]
    surplus = [name for name in theirs if name not in ours]
    others = [
        f"{name} {list(tensor.shape)} where the model has {list(ours[name].shape)}"
        for name, tensor in theirs.items()
        if name in ours and tensor.shape != ours[name].shape
    ]
    kinds = {"lacks": missing, "has beside it": surplus, "has": others}
    return [f"{word} {_few(names)}" for word, names in kinds.items() if names]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _moments(saved: Mapping[str, Any], weights: State, network: nn.Module) -> Moments:
    """Adam's state by name; empty where there is none, or it is of other parameters.

    An optimizer numbers its parameters in the order of the model's names, which the file keeps.
    """
    shapes = {name: parameter.shape for name, parameter in network.named_parameters()}
    names = [name for name in weights if name in shapes]
    numbers = [number for group in saved.get("param_groups", ()) for number in group["params"]]
    if not names or len(names) != len(numbers):
        return {}
    states = {name: saved["state"].get(n) for name, n in zip(names, numbers, strict=True)}
    moments = {
        name: {part: torch.as_tensor(state.get(part, ())) for part in ("step", *AVERAGES)}
        for name, state in states.items()
        if state is not None  # none yet: it had no gradient
    }
    fits = all(moments[name][part].shape == shapes[name] for name in moments for part in AVERAGES)
    return moments if fits else {}


def _red_first(start: Start, tokenizer: Tokenizer, discriminator: nn.Module) -> Start:
    """Networks of blue-first frames as networks of red-first frames."""
    axes, disc_axes = tokenizer_axes(tokenizer), discriminator_axes(discriminator)
    return Start(
        swapped(start.tokenizer, axes),
        swapped(start.discriminator, disc_axes),
        _swapped_moments(start.moments, axes),
        _swapped_moments(start.disc_moments, disc_axes),
        start.left,
    )


def _swapped_moments(moments: Moments, axes: Mapping[str, int]) -> Moments:
    """Each average lies as its parameter does."""
    of_name = {name: dict.fromkeys(AVERAGES, axis) for name, axis in axes.items()}
    return {name: swapped(state, of_name.get(name, {})) for name, state in moments.items()}
