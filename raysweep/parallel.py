"""Sums over the ranks of a torch.distributed group; with no group, the identity.

One worker holding a batch and W workers holding its parts must compute the same numbers, so whatever
is a statistic of the batch goes through here.
"""

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, autograd, nn
from torch.nn.parallel import DistributedDataParallel


class Place(NamedTuple):
    """Of this process in the group: `rank` in [0, workers)."""

    rank: int
    workers: int


def place() -> Place:
    return Place(dist.get_rank(), dist.get_world_size()) if in_group() else Place(0, 1)


def in_group() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def total(values: Tensor) -> Tensor:
    """Sum over ranks, in place where a group exists; not differentiable."""
    if in_group():
        dist.all_reduce(values)
    return values


def mean(values: Tensor) -> Tensor:
    """Mean over ranks that hold equal shares, in place where a group exists; not differentiable."""
    return total(values).div_(place().workers) if in_group() else values


def least(values: Tensor) -> Tensor:
    """Minimum over ranks, in place where a group exists; not differentiable."""
    if in_group():
        dist.all_reduce(values, dist.ReduceOp.MIN)
    return values


def differentiable_total(values: Tensor) -> Tensor:
    """Sum over ranks whose backward pass sums the gradients over ranks too."""
    return _Total.apply(values) if in_group() else values


def gather_rows(rows_ND: Tensor, wanted: Tensor) -> Tensor:
    """Rows `wanted` (indices into the concatenation of all ranks' equal shares) -> (len(wanted), D)."""
    if not in_group():
        return rows_ND[wanted]
    local = wanted - place().rank * len(rows_ND)
    mine = (local >= 0) & (local < len(rows_ND))
    rows = torch.zeros(len(wanted), rows_ND.shape[1], dtype=rows_ND.dtype, device=rows_ND.device)
    rows[mine] = rows_ND[local[mine]]
    return total(rows)


def synchronized(module: nn.Module) -> nn.Module:
    """`module` with gradients averaged over ranks; itself where there is no group.

    Buffers are left alone: they are either constant or summed over ranks by their owner.
    """
    if not in_group():
        return module
    with warnings.catch_warnings():
        # torch 2.14 renames the argument; 2.8 knows this name alone.
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(module, broadcast_buffers=False)


def unsynchronized(module: nn.Module) -> AbstractContextManager[None]:
    """Forward and backward passes of a `synchronized` module within keep their gradients to this rank."""
    if isinstance(module, DistributedDataParallel):
        return module.no_sync()
    return nullcontext()


class _Total(autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return total(values.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # Through `apply` again: a penalty on gradients differentiates this pass too.
        return _Total.apply(gradients[0].contiguous())
