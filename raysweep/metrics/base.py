"""What a metric is: sums that add up over ranks, and figures made from the sums.

Shapes: N = clips x clip_length frames, a clip's frames consecutive; C channels, H height, W width; h, w
positions of a code map.

A sharded evaluation updates one metric object per rank, adds the totals over the ranks, and asks any one of
them for the values. An object serves one pass over the validation set.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

Better = Literal["higher", "lower"]


class Scored(NamedTuple):
    """A batch of frames beside what the tokenizer made of them."""

    frames_NCHW: Tensor
    """RGB float in [-1, 1]."""
    reconstruction_NCHW: Tensor
    codes: tuple[Tensor, ...]
    """One integer tensor (N, h, w) per code map."""
    clip_length: int
    codebook_loss: Tensor | float = 0.0
    """The quantizer's, meaned over the batch."""


class Metric(ABC):
    """Figures about a validation set, gathered batch by batch."""

    better: ClassVar[Mapping[str, Better]]
    """Every figure this metric can give, without the `val/` of reports, and which way is better."""

    @abstractmethod
    def update(self, batch: Scored) -> None:
        """Takes one batch in."""

    @abstractmethod
    def totals(self) -> Tensor:
        """float64 on the CPU, 1-D, the same length on every rank: sums that may be added over ranks."""

    @abstractmethod
    def values(self, totals: Tensor) -> dict[str, float]:
        """The figures of (added) totals; what they cannot tell is left out."""


class PerFrame(Metric):
    """A score for each frame, meaned over all of them.

    Scores are rounded to float32 before they are added in float64: 29 spare bits make the sum exact for
    hundreds of thousands of frames, so it is the same however the frames were split over ranks.
    """

    def __init__(self, name: str) -> None:
        assert name in self.better
        self._name = name
        self._sum_and_count = torch.zeros(2, dtype=torch.float64)

    @abstractmethod
    def scores(self, batch: Scored) -> Tensor:
        """One number per frame (or per pair of frames), 1-D; empty where the batch cannot be scored."""

    def update(self, batch: Scored) -> None:
        with torch.no_grad():
            scores = self.scores(batch).float().cpu().double()
        self._sum_and_count += torch.tensor([scores.sum(), len(scores)], dtype=torch.float64)

    def totals(self) -> Tensor:
        return self._sum_and_count.clone()

    def values(self, totals: Tensor) -> dict[str, float]:
        total, count = totals.tolist()
        return {self._name: total / count} if count else {}


def as_pixels(frames: Tensor) -> Tensor:
    """RGB float in [-1, 1] -> float64 in [0, 255]: clamped as a viewer would, but not rounded."""
    return (frames.double().clamp(-1, 1) + 1) * 127.5
