"""Where a run's figures and pictures go.

Shapes: H height, W width, C channels.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""HWC, RGB."""


class Tracker(ABC):
    """One destination; made when a run starts or goes on, closed when it ends."""

    @abstractmethod
    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Figures of one step, by their full names (`val/psnr`)."""

    @abstractmethod
    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        """A picture of one step; a destination that holds no pictures leaves it."""

    @abstractmethod
    def note(self, step: int, text: str) -> None:
        """A sentence for people about one step; a destination that holds no text leaves it."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is still waiting."""
