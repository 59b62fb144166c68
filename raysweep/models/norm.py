"""Normalizations by statistics of the global batch, on any device (torch's SyncBatchNorm refuses the CPU)."""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from raysweep import parallel


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """Same keys and arithmetic as nn.BatchNorm2d; in a distributed group the statistics are of all ranks."""

    def forward(self, input: Tensor) -> Tensor:
        if not (self.training and parallel.in_group()):
            return super().forward(input)
        x = input.float()
        count = x.numel() // x.shape[1] * parallel.place().workers
        mean_C = parallel.differentiable_total(x.sum((0, 2, 3))) / count
        # Centre before squaring: a small variance drowns in the square of a large mean.
        centred = x - mean_C[:, None, None]
        variance_C = parallel.differentiable_total(centred.square().sum((0, 2, 3))) / count
        self._track(mean_C.detach(), variance_C.detach() * count / (count - 1))
        scale_C = self.weight * torch.rsqrt(variance_C + self.eps)
        return (centred * scale_C[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    def _track(self, mean_C: Tensor, variance_C: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean_C, self.momentum)
        self.running_var.lerp_(variance_C, self.momentum)


class ActNorm(nn.Module):
    """Kingma & Dhariwal 2018, "Glow", section 3.1: a shift and a scale per channel, learned from where the
    first training batch (of all ranks) has mean 0 and variance 1. Keys: `loc`, `scale`, `initialized`."""

    initialized: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.register_buffer("initialized", torch.tensor(0, dtype=torch.uint8))
        self._started = False  # spares the device a look at the buffer in every pass

    def forward(self, x: Tensor) -> Tensor:
        if self.training and not self._started:
            self._start(x.detach().float())
        return self.scale * (x + self.loc)

    @torch.no_grad()
    def _start(self, x: Tensor) -> None:
        self._started = True
        if self.initialized:
            return
        count = x.numel() // x.shape[1] * parallel.place().workers
        mean = parallel.total(x.sum((0, 2, 3), keepdim=True)) / count
        variance = parallel.total((x - mean).square().sum((0, 2, 3), keepdim=True)) / (count - 1)
        self.loc.copy_(-mean)
        self.scale.copy_(1 / (variance.sqrt() + 1e-6))
        self.initialized.fill_(1)


def untracked(layer: nn.Module, x: Tensor) -> Tensor:
    """`layer(x)`, leaving running statistics as they are: for a layer that runs twice in one forward pass."""
    buffers = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    return functional_call(layer, buffers, (x,))
