"""Published checkpoints under our names: whose file it is, and where the networks are in it.

Recognized by content: taming-transformers and latent diffusion (`state_dict`, `loss.*`), OptVQ (`model`),
vvvm23's VQ-VAE-2 (a bare state dict, codebooks as columns), the `.pth.tar` of the system before this one
(`steps`, `state_dict`, `optimizer`), and runs and exported models of raysweep.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from raysweep.errors import ConfigError

State = dict[str, Tensor]
"""Tensors by name."""
Left = dict[str, str]
"""What is not taken over, and why."""

WRAPPERS = ("module.", "model.")
"""What DistributedDataParallel, or a model around the model, puts before every name."""
BESIDE = {
    "loss.": "raysweep makes its losses itself",
    "model_ema.": "an average of the weights, under names that cannot be told apart",
    "colorize": "colours for pictures of segmentations",
    "quantize.used": "a renumbering of the codes that were in use; here codes keep their numbers",
}
"""How the names of tensors begin that published models keep beside the tokenizer's."""

IN_VQVAE2 = {
    "embed": "quantize.embedding.weight",
    "embed_avg": "quantize.embedding.embed_avg",
    "cluster_size": "quantize.embedding.cluster_size",
}
"""How the names of a level's codebook end there, where codes are columns, and here."""


class Published(NamedTuple):
    """A file's content under our names, before any model is asked. Empty: the file has none."""

    tokenizer: State
    discriminator: State
    optimizer: Mapping[str, Any]
    """The tokenizer's, as torch saves it, where a run is to go on with it."""
    disc_optimizer: Mapping[str, Any]
    left: Left


def translate(tree: Any, path: Path) -> Published:
    """Finds the networks in what `read` gave; ConfigError where there are none."""
    if not isinstance(tree, Mapping):
        raise _no_weights(path)
    if "tokenizer" in tree and "discriminator" in tree:
        weights = _tensors(tree.get("averaged", tree["tokenizer"]))
        left = {"step and optimizers": "a run from an earlier one's weights starts its own"}
        return Published(weights, _tensors(tree["discriminator"]), {}, {}, left)
    home = next((name for name in ("state_dict", "model") if name in tree), None)
    model = _tensors(tree if home is None else tree[home])
    weights = {name: tensor for name, tensor in model.items() if _beside(name) is None}
    if not weights:
        raise _no_weights(path)
    disc_home = next((name for name in tree if "main.0.weight" in _tensors(tree[name])), None)
    optimizer, disc_optimizer = _optimizers_in(tree)
    used = {home, disc_home, optimizer, disc_optimizer}
    rest = [str(name) for name in tree if home is not None and name not in used]
    return Published(
        dict(_from_vqvae2(name, tensor) for name, tensor in weights.items()),
        _below("loss.discriminator.", model) or _tensors(tree.get(disc_home)),
        tree.get(optimizer, {}),
        tree.get(disc_optimizer, {}),
        _counted(model) | ({", ".join(rest): "of a training run that is over"} if rest else {}),
    )


def _no_weights(path: Path) -> ConfigError:
    return ConfigError(
        f"model.checkpoint must hold a model's tensors by name, {path} holds none. Name another file."
    )


def _tensors(tree: Any) -> State:
    """The tensors of a state dict, without the names that wrappers put before all of them."""
    items = tree.items() if isinstance(tree, Mapping) else ()
    state = {str(name): value for name, value in items if isinstance(value, Tensor)}
    for wrapper in WRAPPERS:
        if state and all(name.startswith(wrapper) for name in state):
            state = _below(wrapper, state)
    return state


def _below(prefix: str, state: State) -> State:
    return {n.removeprefix(prefix): value for n, value in state.items() if n.startswith(prefix)}


def _beside(name: str) -> str | None:
    """The beginning of the name of a tensor that is not of the tokenizer; None: it is."""
    return next((beginning for beginning in BESIDE if name.startswith(beginning)), None)


def _from_vqvae2(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    match name.split("."):
        case ["codebooks", level, end] if end in IN_VQVAE2:
            rows = tensor.t() if tensor.ndim == 2 else tensor
            return f"codebooks.{level}.{IN_VQVAE2[end]}", rows
    return name, tensor


def _counted(model: State) -> Left:
    """What the file's model has beside its tokenizer and its discriminator."""
    names = [name for name in model if not name.startswith("loss.discriminator.")]
    counts = Counter(beginning for beginning in map(_beside, names) if beginning)
    return {f"{name}* ({count} tensors)": BESIDE[name] for name, count in counts.items()}


def _optimizers_in(tree: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Where they lie in a file of the earlier system, whose runs go on; others are a model to start from."""
    if "steps" not in tree or not _is_optimizer(tree.get("optimizer")):
        return None, None
    others = (name for name in tree if name != "optimizer" and _is_optimizer(tree[name]))
    return "optimizer", next(others, None)


def _is_optimizer(value: Any) -> bool:
    return isinstance(value, Mapping) and {"state", "param_groups"} <= value.keys()
