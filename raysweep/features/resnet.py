"""A frozen ResNet50's logits: what it takes a frame to show (He et al. 2016).

Weber et al. 2024, "MaskBit", section 3, compare them instead of the features that LPIPS compares.
Shapes: N frames, C channels, H height, W width, K = 1000 classes.
"""

import pickle
from functools import cache
from pathlib import Path

import torch
import torchvision.models as zoo
from torch import Tensor, nn
from torch.nn import functional as F

from raysweep.errors import WeightsError
from raysweep.features.weights import chosen

_URL: str = zoo.ResNet50_Weights.IMAGENET1K_V1.url
_RANDOM_SEED = 0
"""Untrained networks hold the same numbers in every process."""
_PIXELS = 224
"""Height and width that the network was trained on."""
_MEAN_RGB = (0.485, 0.456, 0.406)
_DEVIATION_RGB = (0.229, 0.224, 0.225)
"""ImageNet's, for pixels in [0, 1]."""


class ResNet:
    """Like `Backbone` no nn.Module, so that nothing saves or trains it."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network = network.eval().requires_grad_(False).to(device)
        self._mean_1C11 = torch.tensor(_MEAN_RGB, device=device).view(1, 3, 1, 1)
        self._deviation_1C11 = torch.tensor(_DEVIATION_RGB, device=device).view(1, 3, 1, 1)

    def logits(self, frames_NCHW: Tensor) -> Tensor:
        """RGB in [-1, 1], of any size -> (N, K) float32, under autocast too."""
        with torch.autocast(frames_NCHW.device.type, enabled=False):
            images = F.interpolate(
                (frames_NCHW.float() + 1) / 2, (_PIXELS, _PIXELS), mode="bilinear", antialias=True
            )
            logits_NK: Tensor = self._network((images - self._mean_1C11) / self._deviation_1C11)
            return logits_NK


def resnet(init: str, device: torch.device | str) -> ResNet:
    """The network with weights `init` (pretrained, random, a file), made once per process."""
    return _resnet(init, torch.device(device))


def resnet_file(init: str) -> Path | None:
    """The file that `resnet(init)` will load, fetched if need be; None for random weights."""
    if init == "random":
        return None
    return chosen(init, "loss.logit_init", "random", _URL, "loss.logit_weight to 0")


@cache
@torch.inference_mode(False)  # as in `backbones`
def _resnet(init: str, device: torch.device) -> ResNet:
    file = resnet_file(init)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        network = zoo.resnet50(zero_init_residual=True)  # else 16 untrained blocks blow up
    if file is not None:
        _load(network, file)
    return ResNet(network, device)


def _load(network: nn.Module, file: Path) -> None:
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except (pickle.UnpicklingError, RuntimeError, EOFError, TypeError) as error:
        raise WeightsError(
            f"{file} must be torchvision's state dict of ResNet50 ({type(error).__name__}). "
            "Fetch it again, or set loss.logit_weight to 0."
        ) from error
