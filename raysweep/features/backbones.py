"""Frozen ImageNet classifiers, cut at the layers whose activations LPIPS compares.

Shapes: N frames, C channels, H height, W width.

Networks are made on the meta device and filled afterwards: VGG16's classifier, 90 % of its parameters,
is never allocated, and nothing draws from torch's global random state.
"""

import pickle
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torchvision.models as zoo
from torch import Tensor, nn

from raysweep.errors import ConfigError, WeightsError
from raysweep.features.weights import chosen

_RANDOM_SEED = 0
"""Untrained networks hold the same numbers in every process, so their distances compare between trials."""


class Architecture(NamedTuple):
    """A torchvision classifier and where to tap it."""

    build: Callable[[], nn.Module]
    weights: Any
    """torchvision's enum member, which knows the file's address."""
    taps: tuple[int, ...]
    """Indices into `features` whose outputs are compared: the last ReLU or Fire module before each pooling,
    and for SqueezeNet each of the last Fire modules."""
    smallest_frame: int
    """Pixels, height and width, below which a tap would be empty."""


ARCHITECTURES = {
    "vgg": Architecture(zoo.vgg16, zoo.VGG16_Weights.IMAGENET1K_V1, (3, 8, 15, 22, 29), 16),
    "alex": Architecture(zoo.alexnet, zoo.AlexNet_Weights.IMAGENET1K_V1, (1, 4, 7, 9, 11), 31),
    "squeeze": Architecture(
        zoo.squeezenet1_1, zoo.SqueezeNet1_1_Weights.IMAGENET1K_V1, (1, 4, 7, 9, 10, 11, 12), 17
    ),
}


class Backbone:
    """The layers of one frozen network up to its last tap.

    It is not an nn.Module on purpose: a module that holds it neither saves, trains nor moves it, and a
    parent's `.train()` does not reach it.
    """

    def __init__(self, net: str, layers: nn.Sequential) -> None:
        architecture = ARCHITECTURES[net]
        self.net = net
        self._taps = architecture.taps
        self._layers = layers[: self._taps[-1] + 1].eval().requires_grad_(False)

    def activations(self, images_NCHW: Tensor) -> list[Tensor]:
        """Images normalised as for ImageNet, float32 -> the activations at each tap, NCHW."""
        check_frame_size(self.net, *images_NCHW.shape[-2:])
        tapped = []
        for index, layer in enumerate(self._layers):
            images_NCHW = layer(images_NCHW)
            if index in self._taps:
                tapped.append(images_NCHW)
        return tapped


def check_frame_size(net: str, height: int, width: int) -> None:
    """Raises ConfigError for frames, in pixels, that `net` would shrink to nothing."""
    smallest = ARCHITECTURES[net].smallest_frame
    if min(height, width) < smallest:
        raise ConfigError(
            f"the perceptual network {net} needs frames of at least {smallest} pixels, got {height} x {width}. "
            "Set data.resolution to 32 or more, or loss.perceptual_net to none."
        )


def backbone(net: str, init: str, device: torch.device) -> Backbone:
    """The network `net` (vgg, alex, squeeze), made once per process.

    `init`: `pretrained` (torchvision's ImageNet weights), `random`, or a path to a state dict with
    torchvision's key names.
    """
    return _backbone(net, init, device)


def weights_file(net: str, init: str) -> Path | None:
    """The file that `backbone(net, init)` will load, fetched if need be; None for random weights.

    Cheap where the file is there: call it before anything starts, and what is missing shows then.
    """
    if net not in ARCHITECTURES:
        raise ConfigError(
            f"loss.perceptual_net must be one of {', '.join(ARCHITECTURES)} or none, got {net!r}. "
            f"Set one of these."
        )
    if init == "random":
        return None
    url: str = ARCHITECTURES[net].weights.url
    instead = "loss.perceptual_init to random or to a file of your own"
    return chosen(init, "loss.perceptual_init", "random", url, instead)


@cache
@torch.inference_mode(False)  # made during an evaluation, it must still serve a loss with gradients
def _backbone(net: str, init: str, device: torch.device) -> Backbone:
    file = weights_file(net, init)
    with torch.device("meta"):
        layers = ARCHITECTURES[net].build().features
    assert isinstance(layers, nn.Sequential)
    layers.to_empty(device="cpu")
    if file is None:
        _randomise(layers)
    else:
        _load(layers, file, net)
    return Backbone(net, layers.to(device))


def _randomise(layers: nn.Sequential) -> None:
    """He et al. 2015, eq. 10, for every convolution: activations keep their scale through the depth."""
    generator = torch.Generator().manual_seed(_RANDOM_SEED)
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


def _load(layers: nn.Sequential, path: Path, net: str) -> None:
    """Torchvision's `features.N.*` keys; the classifier's are left where they are."""
    features = {
        key.removeprefix("features."): value
        for key, value in _read(path).items()
        if key.startswith("features.")
    }
    try:
        layers.load_state_dict(features)
    except RuntimeError as error:
        raise WeightsError(
            f"{path} must hold torchvision's state dict of {net} (features.0.weight, ...): "
            f"{' '.join(str(error).split())[:200]}. Choose its file, or another loss.perceptual_net."
        ) from error


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise WeightsError(
            f"{path} must be a state dict saved by torch.save ({type(error).__name__}). "
            f"Fetch it again, or set loss.perceptual_init to random."
        ) from error
    if not isinstance(state, Mapping):
        raise WeightsError(
            f"{path} must hold a state dict, got {type(state).__name__}. Save model.state_dict()."
        )
    return state
