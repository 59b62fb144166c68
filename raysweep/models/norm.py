"""Batch normalization over the global batch, on any device (torch's SyncBatchNorm refuses the CPU)."""

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


def untracked(layer: nn.Module, x: Tensor) -> Tensor:
    """`layer(x)`, leaving running statistics as they are: for a layer that runs twice in one forward pass."""
    buffers = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    return functional_call(layer, buffers, (x,))
