"""What a model scores: on each source, and on all of them together.

Shapes: B clips, T frames, H height, W width, C = 3; N = B T.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from raysweep.assemble import build_metrics
from raysweep.config import RunConfig
from raysweep.metrics import METRICS, Metric, Scored
from raysweep.models import Tokenizer
from raysweep.schema import override

Figures = Mapping[str, float]
"""By the names of reports, without `val/`."""


class Row(NamedTuple):
    """One source."""

    source: str
    frames: int
    size: str
    """Of its first frames, as the model saw them: `128x128`, width before height."""
    figures: Figures


class Scores:
    """Figures of one model. A metric's sums of all sources are added up: the whole is no mean of rows."""

    def __init__(self, tokenizer: Tokenizer, measured: RunConfig, device: torch.device) -> None:
        """`measured`: whose settings name the networks that LPIPS and rFID see with."""
        self._tokenizer, self._device = tokenizer, device
        self._by_source = override(measured.model_dump(), {"training.rfid": "off"})
        self._over_all = {
            name: metric for name, metric in self._built(measured).items() if name == "rfid"
        }  # two matrices of 34 MB, and nothing that a few frames could say
        self._totals: dict[str, Tensor] = {}
        self._current = self._fresh()
        self.rows: list[Row] = []

    def add(self, batch: Scored) -> None:
        """Frames of the source at hand."""
        for metric in (*self._current.values(), *self._over_all.values()):
            metric.update(batch)

    def end(self, source: str, frames: int, size: str) -> None:
        """Makes a row of what was added since the last."""
        figures: dict[str, float] = {}
        for name, metric in self._current.items():
            totals = metric.totals()
            figures |= metric.values(totals)
            self._totals[name] = self._totals.get(name, 0) + totals
        self.rows.append(Row(source, frames, size, figures))
        self._current = self._fresh()

    @property
    def figures(self) -> Figures:
        """Of all rows."""
        figures: dict[str, float] = {}
        for name, totals in self._totals.items():
            figures |= self._current[name].values(totals)
        for metric in self._over_all.values():
            figures |= metric.values(metric.totals())
        return figures

    def _fresh(self) -> dict[str, Metric]:
        return self._built(RunConfig.model_validate(self._by_source))

    def _built(self, run: RunConfig) -> dict[str, Metric]:
        metrics = build_metrics(self._tokenizer, run, self._device)
        return {name: metric for name, metric in metrics.items() if name in METRICS}
