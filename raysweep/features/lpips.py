"""LPIPS: distances between deep features that agree with people's judgement.

Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric". The linear
heads (version 0.1) come with the `lpips` package; the network underneath is ours, see `backbones`.

Shapes: N frames, C channels, H height, W width.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from raysweep.features.backbones import Backbone, backbone, weights_file

_EPSILON = 1e-12
"""Added to a squared feature norm: its root has a finite slope where a feature vector is all zero."""

_SHIFT_RGB = (-0.030, -0.088, -0.188)
_SCALE_RGB = (0.458, 0.448, 0.450)
"""ImageNet's mean and standard deviation for pixels in [-1, 1], in the digits that LPIPS was fitted with."""


class LPIPS:
    """A frozen network and its heads; like `Backbone` no nn.Module, so nothing saves or trains it."""

    def __init__(self, network: Backbone, heads_1C11: list[Tensor], device: torch.device) -> None:
        self._network = network
        self._heads_1C11 = heads_1C11
        self._shift_1C11 = torch.tensor(_SHIFT_RGB, device=device).view(1, 3, 1, 1)
        self._scale_1C11 = torch.tensor(_SCALE_RGB, device=device).view(1, 3, 1, 1)

    def features(self, frames_NCHW: Tensor) -> list[Tensor]:
        """RGB in [-1, 1] -> per tap, feature vectors of unit length, NCHW float32, under autocast too."""
        with torch.autocast(frames_NCHW.device.type, enabled=False):
            images_NCHW = (frames_NCHW.float() - self._shift_1C11) / self._scale_1C11
            return [_unit_length(tap) for tap in self._network.activations(images_NCHW)]

    def distance(self, features: list[Tensor], others: list[Tensor]) -> Tensor:
        """Eq. 1: squared differences, weighted per channel, meaned over positions, summed over taps -> (N,)."""
        with torch.autocast(features[0].device.type, enabled=False):
            per_tap = [
                F.conv2d((one - other).square(), head).mean(dim=(1, 2, 3))
                for one, other, head in zip(features, others, self._heads_1C11, strict=True)
            ]
            return torch.stack(per_tap).sum(dim=0)


def lpips(net: str, init: str, device: torch.device | str) -> LPIPS:
    """LPIPS on `net` (vgg, alex, squeeze) with weights `init` (pretrained, random, a file), one per process."""
    return _lpips(net, init, torch.device(device))


@cache
@torch.inference_mode(False)  # as in `backbones`
def _lpips(net: str, init: str, device: torch.device) -> LPIPS:
    network = backbone(net, init, device)
    return LPIPS(network, _heads(net, device), device)


def lpips_files(net: str, init: str) -> list[Path]:
    """What `lpips(net, init)` will load: the network's file, unless it is random, and the heads'."""
    network = weights_file(net, init)
    return [_heads_file(net)] if network is None else [network, _heads_file(net)]


def _heads(net: str, device: torch.device) -> list[Tensor]:
    state = torch.load(_heads_file(net), map_location=device, weights_only=True)
    return [state[f"lin{index}.model.1.weight"] for index in range(len(state))]


def _heads_file(net: str) -> Path:
    """In the package, which is found without importing it: its own networks and SciPy are not needed."""
    spec = find_spec("lpips")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / f"weights/v0.1/{net}.pth"


def _unit_length(features_NCHW: Tensor) -> Tensor:
    squared_N1HW = features_NCHW.square().sum(dim=1, keepdim=True)
    return features_NCHW / (squared_N1HW + _EPSILON).sqrt()
