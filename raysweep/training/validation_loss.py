"""The training loss on the validation set, under the names of the earlier system."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from raysweep.losses import LossConfig
from raysweep.losses.pixel import pixel_loss
from raysweep.metrics import Metric, Scored
from raysweep.metrics.base import Better


class ValidationLoss(Metric):
    """`loss/recon`, the pixel loss, and `loss/vq`, the quantizer's: means over frames, without weights."""

    better: ClassVar[Mapping[str, Better]] = {"loss/recon": "lower", "loss/vq": "lower"}

    def __init__(self, loss: LossConfig) -> None:
        self._pixel = loss.pixel
        self._sums = torch.zeros(3, dtype=torch.float64)

    def update(self, batch: Scored) -> None:
        frames = len(batch.frames_NCHW)
        recon = pixel_loss(
            self._pixel, batch.reconstruction_NCHW.double(), batch.frames_NCHW.double()
        )
        means = torch.tensor([float(recon), float(batch.codebook_loss), 1.0], dtype=torch.float64)
        self._sums += frames * means

    def totals(self) -> Tensor:
        """Sums over frames, and their count."""
        return self._sums.clone()

    def values(self, totals: Tensor) -> dict[str, float]:
        recon, vq, frames = totals.tolist()
        return {"loss/recon": recon / frames, "loss/vq": vq / frames} if frames else {}


def with_total(metrics: Mapping[str, float], loss: LossConfig) -> dict[str, float]:
    """Adds `val/loss/total`: the weighted terms but the GAN's and the logits'; LPIPS is that of the metrics."""
    lpips = metrics.get("val/lpips", metrics.get("val/lpips_random", 0.0))
    total = (
        loss.pixel_weight * metrics["val/loss/recon"]
        + loss.perceptual_weight * lpips
        + loss.codebook_weight * metrics["val/loss/vq"]
    )
    return {**metrics, "val/loss/total": total}
