"""From a frame of any size to what is stored and seen: resized by its shorter side, then cropped."""

import cv2
import numpy as np

from raysweep.data.decode import Frames
from raysweep.data.preprocessing import Preprocessing


def fit(frame_HWC: Frames, settings: Preprocessing) -> Frames:
    """HWC of any size -> as the store holds it: a square, or the whole frame where `crop` is random."""
    resized_HWC = _resized(frame_HWC, settings.side)
    if settings.crop == "random":
        return np.ascontiguousarray(resized_HWC)
    return _center(resized_HWC, settings.resolution)


def fit_square(frame_HWC: Frames, settings: Preprocessing) -> Frames:
    """HWC of any size -> resolution x resolution x 3, as validation sees it."""
    return _center(_resized(frame_HWC, settings.side), settings.resolution)


def _resized(frame_HWC: Frames, side: int) -> Frames:
    """The shorter side becomes `side` pixels."""
    height, width = frame_HWC.shape[:2]
    shortest = min(height, width)
    if shortest == side:
        return frame_HWC
    size = (round(width * side / shortest), round(height * side / shortest))
    by = cv2.INTER_AREA if shortest > side else cv2.INTER_CUBIC
    return cv2.resize(frame_HWC, size, interpolation=by)


def _center(frame_HWC: Frames, resolution: int) -> Frames:
    height, width = frame_HWC.shape[:2]
    top, left = (height - resolution) // 2, (width - resolution) // 2
    return np.ascontiguousarray(frame_HWC[top : top + resolution, left : left + resolution])
