"""The `lpips` package's own LPIPS with our random weights, to compare with."""

import warnings

import lpips
import torch
from torch import nn

from raysweep.features.backbones import backbone


def reference_lpips(net: str) -> nn.Module:
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter(
            "ignore"
        )  # lpips calls torchvision by argument names since deprecated
        reference = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    ours = backbone(net, "random", torch.device("cpu"))._layers.state_dict()
    slices = reference.net.state_dict()
    reference.net.load_state_dict({key: ours[key.split(".", 1)[1]] for key in slices})
    return reference
