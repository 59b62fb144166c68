"""Activation checkpointing (Chen et al. 2016): what a block computes is dropped, and computed again when its
gradient is due."""

from functools import partial

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from raysweep.models.quantizers import Quantizer


def recompute_blocks(network: nn.Module) -> None:
    """Makes every block of `network` drop its activations. A block is a module made of nothing but layers.

    Quantizers are left, and blocks with batch normalization: what they count of a batch would count twice.
    """
    for part in network.children():
        if isinstance(part, Quantizer | _BatchNorm):
            continue
        if _is_block(part):
            part.forward = partial(checkpoint, part.forward, use_reentrant=False)
        else:
            recompute_blocks(part)


def _is_block(part: nn.Module) -> bool:
    layers = list(part.children())
    plain = all(not any(layer.children()) for layer in layers)
    counts = any(isinstance(layer, _BatchNorm) for layer in layers)
    return bool(layers) and plain and not counts and not isinstance(part, nn.ModuleList)
