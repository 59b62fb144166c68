"""Where one scene ends and the next begins, found while frames pass by on their way into the store.

The score of a frame is that of PySceneDetect's content detector (https://www.scenedetect.com): the mean of how
far hue, saturation and value are from the frame before, with its default threshold.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from raysweep.data.decoding.decode import Frames

THRESHOLD = 27.0
"""Of OpenCV's HSV levels: hue in [0, 180), the others in [0, 255]."""
DETECTION_PIXELS = 24
"""Height and width that frames are averaged down to: a scene's layout stays, and the fine texture goes that
changes every pixel when the camera moves."""
DARK = 16
"""Of 255: hue and saturation of what is darker are noise, and it counts as black."""


class Cuts:
    """Hard cuts are found; a dissolve or a fade over more than a few frames is none."""

    def __init__(self) -> None:
        self.at: list[int] = []
        """Numbers of the frames that begin a new scene."""
        self._before_HWC: Frames | None = None
        self._number = 0

    def watch(self, frames_HWC: Iterable[Frames]) -> Iterator[Frames]:
        """The same frames, HWC RGB uint8."""
        for frame_HWC in frames_HWC:
            self.see(frame_HWC)
            yield frame_HWC

    def see(self, frame_HWC: Frames) -> None:
        """The next frame, HWC RGB uint8."""
        small_HWC, before_HWC = _small(frame_HWC), self._before_HWC
        if before_HWC is not None and _difference(before_HWC, small_HWC) >= THRESHOLD:
            self.at.append(self._number)
        self._before_HWC = small_HWC
        self._number += 1


def _small(frame_HWC: Frames) -> NDArray[np.uint8]:
    """HWC HSV."""
    size = (DETECTION_PIXELS, DETECTION_PIXELS)
    averaged_HWC = cv2.resize(frame_HWC, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(cv2.max(averaged_HWC, (DARK,) * 4), cv2.COLOR_RGB2HSV)


def _difference(before_HWC: NDArray[np.uint8], after_HWC: NDArray[np.uint8]) -> float:
    """Mean over pixels and channels, in levels."""
    return sum(cv2.mean(cv2.absdiff(before_HWC, after_HWC))[:3]) / 3
