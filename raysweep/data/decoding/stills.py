"""The one picture of an image file, which OpenCV turns upright as its EXIF orientation says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""HWC BGR in [0, 255]."""

OPAQUE = 255
HEAD_BYTES = 4096
"""Of a file, in which it says whether it is see-through."""
_STDERR = Lock()
"""Held by the one thread that has turned it away."""


def decode_still(encoded: NDArray[np.uint8]) -> Image | None:
    """The bytes of a file -> HWC BGR uint8: greyscale thrice, 16 bits as 8, a see-through PNG or WebP over white.

    White, as FFmpeg shows a see-through GIF; leaving alpha out would show the colours that lie hidden there.
    None: damaged, too large (MAX_PIXELS in raysweep/data), or of numbers without a white, such as float32.
    """
    with quiet(), suppress(cv2.error):  # raised for what is too large
        if _may_be_see_through(encoded[:HEAD_BYTES].tobytes().ljust(HEAD_BYTES, b"\0")):
            image_HWC = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
            if image_HWC is not None and image_HWC.shape[2:] == (4,):
                return _over_white(image_HWC)
        return cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return None


def _may_be_see_through(head: bytes) -> bool:
    """PNG's colour types with alpha, or a palette's tRNS; WebP's flags for alpha, lossy and lossless."""
    if head.startswith(b"\x89PNG"):
        return head[25:26] in (b"\x04", b"\x06") or b"tRNS" in head
    if head[8:16] == b"WEBPVP8X":
        return bool(head[20] & 0x10)
    return head[8:16] == b"WEBPVP8L" and bool(head[24] & 0x10)


def _over_white(image_HWC: NDArray[np.uint8] | NDArray[np.uint16]) -> Image:
    """BGRA of 8 or 16 bits -> BGR of 8."""
    of_8 = image_HWC if image_HWC.dtype == np.uint8 else (image_HWC >> 8).astype(np.uint8)
    alpha = of_8[..., 3:].astype(np.uint16)
    mixed = of_8[..., :3] * alpha + OPAQUE * (OPAQUE - alpha) + OPAQUE // 2
    return (mixed // OPAQUE).astype(np.uint8)


@contextmanager
def quiet() -> Iterator[None]:
    """libpng and libjpeg tell of damage, and OpenCV of its choices, on the process's stderr, whatever Python asks
    of them."""
    with _STDERR, Path(os.devnull).open("wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
