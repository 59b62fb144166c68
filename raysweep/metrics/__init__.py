"""Figures about reconstructions and codes, one per file; reports put `val/` before their names."""

from typing import Literal

from raysweep.errors import ConfigError
from raysweep.metrics.base import Metric, Scored
from raysweep.metrics.codes import Codes
from raysweep.metrics.fid import RFID
from raysweep.metrics.flicker import Flicker
from raysweep.metrics.lpips import LPIPS
from raysweep.metrics.psnr import PSNR
from raysweep.metrics.ssim import SSIM
from raysweep.spelling import nearest

__all__ = ["METRICS", "METRIC_DIRECTIONS", "Metric", "Scored", "direction"]

METRICS: dict[str, type[Metric]] = {
    "psnr": PSNR,
    "ssim": SSIM,
    "lpips": LPIPS,
    "codes": Codes,
    "flicker": Flicker,
    "rfid": RFID,
}

METRIC_DIRECTIONS = {
    name: better for metric in METRICS.values() for name, better in metric.better.items()
}
"""Every figure's name without `val/` -> which way is better."""


def direction(metric_name: str) -> Literal["max", "min"]:
    """What an objective does with a figure, named as in reports (`val/perplexity/level0`) or without `val/`."""
    name = metric_name.removeprefix("val/").split("/level")[0]
    if name not in METRIC_DIRECTIONS:
        raise ConfigError(_unknown(metric_name, name))
    return "max" if METRIC_DIRECTIONS[name] == "higher" else "min"


def _unknown(metric_name: str, name: str) -> str:
    near, known = nearest(name, METRIC_DIRECTIONS), ", ".join(sorted(METRIC_DIRECTIONS))
    hint = f"Did you mean {near!r}?" if near else "Choose one of them."
    return f"a metric must be one of {known}, got {metric_name!r}. {hint}"
