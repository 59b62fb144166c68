"""Distance between frames, pixel by pixel."""

import torch.nn.functional as F
from torch import Tensor


def pixel_loss(kind: str, frames_NCHW: Tensor, target_NCHW: Tensor) -> Tensor:
    """Mean absolute (`l1`), mean squared (`l2`) error, or their sum (`l1+l2`), of values in [-1, 1]."""
    terms = {"l1": F.l1_loss, "l2": F.mse_loss}
    return sum(
        (terms[name](frames_NCHW, target_NCHW) for name in kind.split("+")),
        frames_NCHW.new_zeros(()),
    )
