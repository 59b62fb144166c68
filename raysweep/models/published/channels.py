"""Networks of blue-first frames as networks of red-first frames: their outer channels change places."""

from collections.abc import Mapping

from torch import Tensor, nn

from raysweep.models.tokenizer import Tokenizer


def swapped(state: Mapping[str, Tensor], axes: Mapping[str, int]) -> dict[str, Tensor]:
    """The tensors, those named in `axes` with the channels along that axis in reverse."""
    return {n: value.flip(axes[n]) if n in axes else value for n, value in state.items()}


def tokenizer_axes(tokenizer: Tokenizer) -> dict[str, int]:
    """Tensors that meet a frame or make one, and the axis of its channels."""
    return discriminator_axes(tokenizer) | dict.fromkeys(_outgoing(tokenizer), 0)


def discriminator_axes(network: nn.Module) -> dict[str, int]:
    """As above, for a network that only takes frames: the first convolution's weight."""
    convolutions = (n for n, module in network.named_modules() if isinstance(module, nn.Conv2d))
    return {f"{next(convolutions)}.weight": 1}


def _outgoing(tokenizer: Tokenizer) -> list[str]:
    """The last convolution's tensors, and those of a normalization behind it."""
    name = next(n for n, tensor in tokenizer.named_parameters() if tensor is tokenizer.last_layer)
    parent, _, last = name.removesuffix(".weight").rpartition(".")
    layers = dict(tokenizer.get_submodule(parent).named_children())
    behind = list(layers)[list(layers).index(last) :]
    return [
        f"{parent}.{layer}.{part}"
        for layer in behind
        for part, tensor in layers[layer].state_dict().items()
        if tensor.shape[:1] == tokenizer.last_layer.shape[:1]
    ]
