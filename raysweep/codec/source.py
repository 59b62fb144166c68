"""A video file as frames, and what is to be known of it: its rate, and what is wrong with it."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

from raysweep.data.decoding.decode import (
    READERS,
    USUAL_RATE,
    DecodeError,
    Frames,
    claimed_frames,
    frame_rate,
    read_timed,
    to_rgb,
)
from raysweep.data.decoding.resample import Timed
from raysweep.errors import DataError

FINEST_RATE = 10**6
"""The largest denominator of a rate: FFmpeg's 29.97002997... becomes 30000/1001 again."""


class Source:
    """A video to be read once, from the front; DataError where it gives no frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lacks: str | None = None
        """What the file lacks; known once all frames are read."""
        self.is_uneven = False
        """Whether a frame is shown half a frame earlier or later than at a steady rate; known then, too."""
        try:
            timed = read_timed(path, READERS, self._note)
            first = next(timed)
            claimed = frame_rate(path)
        except DecodeError as error:
            raise DataError(
                f"a video is needed, and {path} is none: {error}. Name a video that plays."
            ) from None
        self.rate = Fraction(claimed or USUAL_RATE).limit_denominator(FINEST_RATE)
        self.height, self.width = first.frame.shape[:2]
        self._timed = chain([first], timed)

    def timed(self) -> Iterator[Timed[Frames]]:
        """HWC RGB uint8, each when it is shown."""
        return (Timed(seconds, to_rgb(frame_HWC)) for seconds, frame_HWC in self._timed)

    def frames(self) -> Iterator[Frames]:
        """HWC RGB uint8, each once; DataError where they change their size."""
        start = None
        for count, (seconds, frame_HWC) in enumerate(self.timed()):
            start = seconds if start is None else start
            self.is_uneven |= bool(abs((seconds - start) * self.rate - count) > 0.5)
            self._require_size(frame_HWC, count)
            yield frame_HWC

    def claimed_frames(self) -> int:
        """As the file says, which may be wrong."""
        return claimed_frames(self.path, None)

    def _note(self, reason: str) -> None:
        self.lacks = reason

    def _require_size(self, frame_HWC: Frames, count: int) -> None:
        height, width = frame_HWC.shape[:2]
        if (height, width) != (self.height, self.width):
            raise DataError(
                f"a video must keep its size, and {self.path} goes from {self.width}x{self.height} to "
                f"{width}x{height} px after {count} frames. Cut it there."
            )
