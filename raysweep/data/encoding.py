"""How a stored frame is written down: as raw bytes, or compressed as a picture.

Frames are HWC RGB uint8; of one segment they have one size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from raysweep.data.decode import Frames
from raysweep.data.preprocessing import Preprocessing

_QUALITY = {
    "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY]),
    "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY]),
    "png": (".png", []),
}
"""Encoding -> OpenCV's suffix, and the parameter that the quality is of."""


class Encoded(NamedTuple):
    """The frames of a segment, one after the other."""

    data: bytes
    ends: list[int]
    """Where each frame's bytes end in `data`; none for raw frames, which are all of one size."""


def encode(frames_HWC: Sequence[Frames], settings: Preprocessing) -> Encoded:
    if settings.encoding == "raw":
        return Encoded(np.stack(frames_HWC).tobytes(), [])
    suffix, of_quality = _QUALITY[settings.encoding]
    parameters = [word for name in of_quality for word in (name, settings.quality)]
    pictures = [_picture(frame, suffix, parameters) for frame in frames_HWC]
    return Encoded(b"".join(pictures), np.cumsum([len(p) for p in pictures]).tolist())


def decode(picture: Frames) -> Frames:
    """The bytes of one compressed frame -> HWC RGB uint8."""
    return cv2.cvtColor(cv2.imdecode(picture, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _picture(frame_HWC: Frames, suffix: str, parameters: Sequence[int]) -> bytes:
    written, picture = cv2.imencode(suffix, cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2BGR), parameters)
    assert written, f"{suffix} of {frame_HWC.shape}"
    return picture.tobytes()
