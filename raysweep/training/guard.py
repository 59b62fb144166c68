"""A step that is not finite leaves no trace: no optimizer sees it, and no buffer keeps it.

Whether it was is known on the device, agreed on by all ranks, and acted on there: with fused optimizers
(the default on CUDA) nothing ever waits to read it.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Adam

from raysweep import parallel


class Buffers:
    """What the forward passes of `networks` change: moving averages of codebooks and of batch statistics."""

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        self._now = [buffer for network in networks for buffer in network.buffers()]
        self._before = [buffer.clone() for buffer in self._now]

    @torch.no_grad()
    def restore_unless(self, finite: Tensor) -> None:
        """Puts back what was there when this was made, unless `finite`, a bool scalar."""
        for now, before in zip(self._now, self._before, strict=True):
            now.copy_(torch.where(finite, now, before))


def all_finite(values: Sequence[Tensor]) -> Tensor:
    """Whether scalars are finite, on every rank: a bool scalar on their device."""
    here = torch.stack([value.detach().float() for value in values]).isfinite().all()
    return parallel.total(here.long()) == parallel.place().workers


def step_if(finite: Tensor, optimizer: Adam) -> None:
    """`optimizer.step()`, if `finite`."""
    if optimizer.defaults["fused"]:
        optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined] # GradScaler's way in
        optimizer.step()
    elif finite:
        optimizer.step()
