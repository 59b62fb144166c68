"""How a stored frame is written down: as raw bytes, or compressed as a picture.

Frames are HWC RGB uint8; of one segment they have one size.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from raysweep.data.decoding.decode import Frames, to_rgb
from raysweep.data.preprocessing import Preprocessing
from raysweep.errors import DataError

_FULL_COLOUR = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
"""At one size of file, colour at every pixel (4:4:4) and a lower quality come 0.7 dB nearer than 4:2:0."""
_WRITTEN = {
    "jpeg": (".jpg", [*_FULL_COLOUR, cv2.IMWRITE_JPEG_QUALITY]),
    "webp": (
        ".webp",
        [cv2.IMWRITE_WEBP_QUALITY],
    ),  # lossy up to 100, which is as far as `quality` goes
    "png": (".png", []),
}
"""Encoding -> OpenCV's suffix and parameters; where there are any, the quality is the value of the last."""


class Encoded(NamedTuple):
    """The frames of a segment, one after the other."""

    data: Frames
    """Bytes, flat."""
    ends: list[int]
    """Where each frame's bytes end in `data`; none for raw frames, which are all of one size."""


def encode(frames_HWC: Sequence[Frames], settings: Preprocessing) -> Encoded:
    if settings.encoding == "raw":
        return Encoded(np.stack(frames_HWC).reshape(-1), [])
    suffix, parameters = _WRITTEN[settings.encoding]
    quality = [settings.quality] if parameters else []
    pictures = [_picture(frame, suffix, [*parameters, *quality]) for frame in frames_HWC]
    return Encoded(np.concatenate(pictures), np.cumsum([len(p) for p in pictures]).tolist())


def decode(picture: Frames) -> Frames:
    """The bytes of one compressed frame -> HWC RGB uint8; DataError when they are damaged."""
    frame_HWC = cv2.imdecode(picture, cv2.IMREAD_COLOR) if len(picture) else None
    if frame_HWC is None:
        raise DataError(
            f"every frame of a store must be whole, and one of {len(picture)} bytes does not decode. "
            "`raysweep prepare --verify` names the damaged file."
        )
    return to_rgb(frame_HWC)


def squared_error(frame_HWC: Frames, encoded: Encoded) -> float:
    """What storing the first frame of a segment costs: the mean over its numbers; 0 where nothing is lost."""
    if not encoded.ends:
        return 0.0
    stored_HWC = decode(encoded.data[: encoded.ends[0]])
    return float(np.mean((frame_HWC.astype(np.float32) - stored_HWC) ** 2))


def psnr(squared_error: float) -> float | None:
    """dB on [0, 255]; None where nothing is lost."""
    return 10 * math.log10(255**2 / squared_error) if squared_error else None


def _picture(frame_HWC: Frames, suffix: str, parameters: Sequence[int]) -> Frames:
    written, picture = cv2.imencode(suffix, cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2BGR), parameters)
    assert written, f"{suffix} of {frame_HWC.shape}"
    return picture
