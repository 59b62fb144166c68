"""Clips sought in videos and images as they lie there, without a store: slow to read, ready at once.

Shapes: T frames of a clip, H = W = resolution, C = 3 (RGB uint8 in [0, 255]), B clips of a batch.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from raysweep.data.decoding.decode import IMAGE_READERS, Frames, open_video, read_frames, to_rgb
from raysweep.data.decoding.fit import fit
from raysweep.data.index.clips import Clip
from raysweep.data.reading.counting import Located
from raysweep.data.reading.reader import CENTER, View, window
from raysweep.data.storing.manifest import Manifest
from raysweep.errors import DataError

OPEN_VIDEOS = 16
"""Of a process: a decoder of 1080p video keeps some 50 MB."""
NEAR_FRAMES = 32
"""A frame that comes this soon is decoded up to: seeking decodes 16 frames and more."""
LEADS = (1, 64, 1024)
"""Frames before the wanted one that are sought, until what is found there lies before it."""


class _Source(Protocol):
    def read(self, frame: int) -> Frames:
        """HWC RGB uint8, as it comes from the file."""
        ...


class DirectReader:
    """The clips that a store of the same footage would give, bit for bit."""

    def __init__(self, located: Mapping[str, Located], manifest: Manifest) -> None:
        self._settings, self._located, self._lock = manifest.settings, located, Lock()
        self._opened = lru_cache(OPEN_VIDEOS)(self._open)

    def read_batch(self, clips: Sequence[Clip], views: Sequence[View] | None = None) -> Frames:
        """BTHWC RGB uint8, of clips of one length; None: the centre of each."""
        with self._lock:  # a decoder is at one place at a time
            return np.stack(
                [
                    self._read(clip, view)
                    for clip, view in zip(clips, views or [CENTER] * len(clips), strict=True)
                ]
            )

    def _read(self, clip: Clip, view: View) -> Frames:
        source, side = self._opened(clip.source), self._settings.resolution
        wanted = (clip.first_frame + number * clip.stride for number in range(clip.length))
        fitted = (fit(source.read(frame), self._settings) for frame in wanted)
        return np.concatenate([window(frame_HWC[None], view, side) for frame_HWC in fitted])

    def _open(self, source: str) -> _Source:
        paths, times = self._located[source]
        return Images(paths) if self._settings.images else SoughtVideo(paths[0], times)


class Images:
    """A source of many images, each of them a frame."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def read(self, frame: int) -> Frames:
        """HWC RGB uint8."""
        path = self._paths[frame]
        _require_seen(path)
        return next(read_frames(path, IMAGE_READERS))


class SoughtVideo:
    """Any frame of a video, exactly as decoding from the front gives it.

    Where a container says a frame is and where it is are two things. So a frame is known by its time: what
    seeking comes to tells where that is, and from there on it is decoded frame by frame. Where the times in the
    container do not rise, each clip is decoded from the front: slow, and right.
    """

    def __init__(self, path: Path, times: NDArray[np.float64]) -> None:
        _require_seen(path)
        self._path, self._times = path, times
        self._restart()

    def read(self, frame: int) -> Frames:
        """HWC RGB uint8."""
        if not self._next <= frame <= self._next + NEAR_FRAMES:
            self._seek(frame)
        frame_HWC = self._decode(frame)
        if self._time() != self._times[frame]:
            self._restart()
            frame_HWC = self._decode(frame)
        if frame_HWC is None:
            raise DataError(
                f"{self._path} had frame {frame} when it was counted, and has it no more. Start again."
            )
        return to_rgb(frame_HWC)

    def _seek(self, frame: int) -> None:
        """To a frame before the wanted one, from which on all is decoded."""
        for lead in LEADS:
            if frame <= lead:
                break
            self._video.set(cv2.CAP_PROP_POS_FRAMES, frame - lead)
            self._video.grab()
            found = int(np.searchsorted(self._times, self._time()))
            if found < frame and self._times[found] == self._time():
                self._next = found + 1
                return
        self._restart()

    def _time(self) -> float:
        """Seconds, of the frame decoded last."""
        return float(self._video.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def _restart(self) -> None:
        self._video, self._next = open_video(self._path), 0

    def _decode(self, frame: int) -> Frames | None:
        while self._next < frame:
            self._video.grab()
            self._next += 1
        self._next += 1
        return self._video.read()[1]


def _require_seen(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            f"data.reading direct needs every node to see the footage, and {path} is not there. Put it on a "
            "file system that all nodes share."
        )
