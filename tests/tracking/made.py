"""A picture, and the trackers of a trial, as these tests make them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from raysweep.tracking import Trackers, TrackingConfig, trackers
from raysweep.tracking.base import Picture


def some_picture() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def read_png(path: Path) -> Picture:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def opened(
    config: TrackingConfig,
    folder: Path,
    trial: str = "0000",
    resume_step: int | None = None,
    settings: Mapping[str, Any] = MappingProxyType({"seed": 0}),
) -> Trackers:
    return trackers(
        config, folder, experiment="e", trial=trial, settings=settings, resume_step=resume_step
    )
