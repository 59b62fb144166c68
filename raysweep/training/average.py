"""A moving average of the weights: what validation scores and export writes, while training goes on as it would.

Izmailov et al. 2018; the warm-up is TensorFlow's: a short memory while the weights still move far.
"""

import torch
from torch import nn


def decay_at(decay: float, step: int) -> float:
    """The average's decay after `step` updates: at most `decay`, and 0.1 at the first."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Moves parameters and floating-point buffers towards `network`'s; other buffers (counts) are copied."""
    ours, theirs = average.state_dict(), network.state_dict()
    for name, value in theirs.items():
        if value.is_floating_point():
            ours[name].lerp_(value, 1 - decay)
        else:
            ours[name].copy_(value)
