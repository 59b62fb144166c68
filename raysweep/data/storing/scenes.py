"""Where one scene ends and the next begins, found while frames pass by on their way into the store."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import ContentDetector

from raysweep.data.decoding.decode import Frames

DETECTION_PIXELS = 24
"""Height and width that frames are averaged down to: a scene's layout stays, and the fine texture goes that
changes every pixel when the camera moves."""
DARK = 16
"""Of 255: hue and saturation of what is darker are noise, and it counts as black."""


class Cuts:
    """Watches frames go by; PySceneDetect's content detector judges (its default threshold of 27).

    Hard cuts are found; a dissolve or a fade over more than a few frames is none.
    """

    def __init__(self) -> None:
        self.at: list[int] = []
        """Numbers of the frames that begin a new scene."""

    def watch(self, frames_HWC: Iterable[Frames]) -> Iterator[Frames]:
        """The same frames, HWC RGB uint8."""
        detector = ContentDetector(min_scene_len=1)
        for number, frame_HWC in enumerate(frames_HWC):
            seen = FrameTimecode(number, fps=1.0)
            found = detector.process_frame(seen, _small(frame_HWC))
            self.at.extend(cut.frame_num for cut in found)
            yield frame_HWC


def _small(frame_HWC: Frames) -> Frames:
    """HWC BGR."""
    size = (DETECTION_PIXELS, DETECTION_PIXELS)
    averaged_HWC = cv2.resize(frame_HWC, size, interpolation=cv2.INTER_AREA)
    small_HWC: Frames = np.maximum(averaged_HWC, DARK)[..., ::-1]
    return small_HWC
