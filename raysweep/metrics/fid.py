"""rFID: the Frechet distance between features of the frames and of their reconstructions.

Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", eq. 6, as torch-fidelity computes it.
Shapes: N frames, F features.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

from raysweep.metrics.base import Better, Metric, Scored, as_pixels

Statistics = Mapping[str, NDArray[np.float64]]
"""`mu` (F,) and `sigma` (F, F), as torch-fidelity names them."""


class RFID(Metric):
    """Lower is better; below some thousand frames it says more about their number than about the model."""

    better: ClassVar[Mapping[str, Better]] = {"rfid": "lower"}

    def __init__(self, network: nn.Module, features: int) -> None:
        """`network`: uint8 RGB (N, 3, H, W) -> (N, `features`)."""
        self._network, self._features = network, features
        self._count = 0
        self._sums = [torch.zeros(features + features**2, dtype=torch.float64) for _ in range(2)]
        """Of frames and of reconstructions: the sum of the features, then of their outer products."""

    @torch.no_grad()
    def update(self, batch: Scored) -> None:
        self._count += len(batch.frames_NCHW)
        for sums, frames in zip(self._sums, batch[:2], strict=True):
            features_NF = self._network(as_pixels(frames).round().byte()).double()
            products_FF = features_NF.T @ features_NF
            sums += torch.cat([features_NF.sum(0), products_FF.flatten()]).cpu()

    def totals(self) -> Tensor:
        return torch.cat([torch.tensor([self._count], dtype=torch.float64), *self._sums])

    def values(self, totals: Tensor) -> dict[str, float]:
        """Absent for fewer frames than two, which have no covariance."""
        count = totals[0].item()
        if count < 2:
            return {}
        sides = [self._statistics(sums, count) for sums in totals[1:].chunk(2)]
        return {"rfid": float(fid_statistics_to_metric(*sides, verbose=False)[KEY_METRIC_FID])}

    def _statistics(self, sums: Tensor, count: float) -> Statistics:
        sum_F, products = sums.split([self._features, self._features**2])
        mean_F = sum_F / count
        covariance_FF = products.view(self._features, -1) - count * mean_F.outer(mean_F)
        return {"mu": mean_F.numpy(), "sigma": (covariance_FF / (count - 1)).numpy()}
