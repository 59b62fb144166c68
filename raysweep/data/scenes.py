"""Where one scene ends and the next begins, found while frames pass by on their way into the store."""

from collections.abc import Iterable, Iterator

from scenedetect import FrameTimecode
from scenedetect.detectors import ContentDetector

from raysweep.data.decode import Frames

DETECTION_PIXELS = 64
"""Of the shorter side: a cut is as plain on every other pixel, and found in a quarter of the time."""


class Cuts:
    """Watches frames go by; PySceneDetect's content detector judges (its default threshold of 27)."""

    def __init__(self) -> None:
        self.at: list[int] = []
        """Numbers of the frames that begin a new scene."""

    def watch(self, frames_HWC: Iterable[Frames]) -> Iterator[Frames]:
        """The same frames, HWC RGB uint8 of one size."""
        detector = ContentDetector(min_scene_len=1)
        for number, frame_HWC in enumerate(frames_HWC):
            step = max(1, min(frame_HWC.shape[:2]) // DETECTION_PIXELS)
            seen = FrameTimecode(number, fps=1.0)
            found = detector.process_frame(seen, frame_HWC[::step, ::step, ::-1])
            self.at.extend(cut.frame_num for cut in found)
            yield frame_HWC
