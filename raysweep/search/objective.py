"""What trials are ranked by."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Objective:
    """One validation metric and its direction; scores are such that higher is better."""

    metric: str
    """Such as `val/psnr`."""
    direction: str
    """`max` or `min`."""

    def score(self, metrics: Mapping[str, float]) -> float | None:
        """None where the metric is absent or not finite."""
        value = metrics.get(self.metric)
        if value is None or not isfinite(value):
            return None
        return value if self.direction == "max" else -value
