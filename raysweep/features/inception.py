"""The Inception network of FID: the original TensorFlow weights, as torch-fidelity converted them.

Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", section 3; other Inception weights give
other distances. Shapes: N frames, F = 2048 features.
"""

import pickle
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from raysweep.errors import WeightsError
from raysweep.features.weights import chosen

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"


class Inception(nn.Module):
    """uint8 RGB (N, 3, H, W) of any size -> features of the last pooling (N, 2048), float32."""

    features = 2048

    def __init__(self, weights: Path) -> None:
        super().__init__()
        _require_tensors_alone(weights)
        self._network = FeatureExtractorInceptionV3("inception", ["2048"], str(weights))

    def forward(self, images_NCHW: Tensor) -> Tensor:
        (features_NF,) = self._network(images_NCHW)
        return features_NF


@cache
def inception(init: str, device: torch.device) -> Inception:
    """The network with weights `init` (`pretrained` or a file), made once per process."""
    return Inception(inception_file(init)).to(device)


def inception_file(init: str) -> Path:
    """The file that `inception(init)` will load, fetched if need be; WeightsError where it cannot be had."""
    return chosen(init, "training.rfid", "off", URL, "training.rfid to off")


def _require_tensors_alone(weights: Path) -> None:
    """torch-fidelity unpickles the file without asking what is in it."""
    try:
        torch.load(weights, map_location="meta", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise WeightsError(
            f"{weights} must be torch-fidelity's state dict of Inception ({type(error).__name__}). "
            "Fetch it again, or set training.rfid to off."
        ) from error
