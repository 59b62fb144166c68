"""Clips out of a store's tables, whose buffers are viewed and not copied.

Shapes: T frames of a clip, H = W = resolution, C = 3 (RGB uint8 in [0, 255]), B clips of a batch.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import pyarrow as pa

from raysweep.data.clips import Clip
from raysweep.data.decode import Frames
from raysweep.data.encoding import decode
from raysweep.errors import DataError


class View(NamedTuple):
    """Which part of its stored frames a clip shows, and how."""

    down: float = 0.5
    """0: the top of the frame, 1: its bottom."""
    right: float = 0.5
    """0: the left edge of the frame, 1: its right."""
    mirrored: bool = False
    """Left to right."""


CENTER = View()


class Reader(Protocol):
    """Clips from wherever footage lies."""

    def read_batch(self, clips: Sequence[Clip], views: Sequence[View] | None = None) -> Frames:
        """BTHWC RGB uint8, of clips of one length; None: the centre of each."""
        ...


class ClipReader:
    """Random access to clips in a store's tables."""

    def __init__(self, tables: Sequence[pa.Table], resolution: int) -> None:
        """DataError when the stored frames do not hold `resolution` pixels a side."""
        self._segments: dict[str, list[_Segment]] = defaultdict(list)
        self._resolution = resolution
        for source, segment in _segments(tables, resolution):
            self._segments[source].append(segment)
        for segments in self._segments.values():
            segments.sort(key=lambda segment: segment.first_frame)

    def read(self, clip: Clip, view: View = CENTER) -> Frames:
        """THWC RGB uint8."""
        clip_THWC: Frames = self.read_batch([clip], [view])[0]
        return clip_THWC

    def read_batch(self, clips: Sequence[Clip], views: Sequence[View] | None = None) -> Frames:
        """BTHWC RGB uint8, of clips of one length; None: the centre of each."""
        side = self._resolution
        batch_BTHWC = np.empty((len(clips), clips[0].length, side, side, 3), np.uint8)
        for clip, view, out_THWC in zip(
            clips, views or [CENTER] * len(clips), batch_BTHWC, strict=True
        ):
            self._copy(clip, view, out_THWC)
        return batch_BTHWC

    def _copy(self, clip: Clip, view: View, out_THWC: Frames) -> None:
        segments = self._segments[clip.source]
        done = 0
        while done < clip.length:
            frame = clip.first_frame + done * clip.stride
            at = bisect_right(segments, frame, key=lambda segment: segment.first_frame) - 1
            segment = segments[at]
            wanted = range(frame - segment.first_frame, segment.frames, clip.stride)
            found_THWC = segment.read(wanted[: clip.length - done])
            assert len(found_THWC), f"{clip} reaches beyond its source"
            shown_THWC = _window(found_THWC, view, self._resolution)
            out_THWC[done : done + len(found_THWC)] = shown_THWC
            done += len(found_THWC)


class _Segment(NamedTuple):
    first_frame: int
    frames: int
    size: tuple[int, int]
    """Height and width of its frames."""
    data: Frames
    """Bytes, flat."""
    ends: list[int]
    """encoding.Encoded.ends."""

    def read(self, wanted: range) -> Frames:
        """THWC: a view of raw frames; compressed ones are decoded."""
        if not self.ends:
            frames_THWC = self.data.reshape(self.frames, *self.size, 3)
            return frames_THWC[wanted.start : wanted.stop : wanted.step]
        starts = [0, *self.ends]
        return np.stack([decode(self.data[starts[i] : self.ends[i]]) for i in wanted])


def _segments(tables: Sequence[pa.Table], resolution: int) -> Iterator[tuple[str, _Segment]]:
    columns = ("source", "first_frame", "frames", "height", "width", "ends")
    for table in tables:
        described = zip(*(table[name].to_pylist() for name in columns), strict=True)
        for (source, first, frames, *size, ends), data in zip(
            described, table["data"], strict=True
        ):
            _require(size, resolution)
            flat = np.frombuffer(data.as_buffer(), np.uint8)
            yield source, _Segment(first, frames, (size[0], size[1]), flat, ends)


def _window(frames_THWC: Frames, view: View, resolution: int) -> Frames:
    height, width = frames_THWC.shape[1:3]
    top, left = _offset(view.down, height - resolution), _offset(view.right, width - resolution)
    window_THWC = frames_THWC[:, top : top + resolution, left : left + resolution]
    return _mirrored(window_THWC) if view.mirrored else window_THWC


def _mirrored(frames_THWC: Frames) -> Frames:
    """By OpenCV: NumPy takes twenty times as long to copy a reversed view of three-byte pixels."""
    return np.stack([cv2.flip(frame_HWC, 1) for frame_HWC in frames_THWC])


def _offset(share: float, spare: int) -> int:
    """Of `spare` + 1 places, each for an equal part of [0, 1]; 0.5: the middle one."""
    return min(spare, int(share * (spare + 1))) if share != 0.5 else spare // 2


def _require(size: Sequence[int], resolution: int) -> None:
    if min(size) < resolution:
        raise DataError(
            f"stored frames must hold data.resolution {resolution}, got {size[0]}x{size[1]} pixels. "
            "Set data.resolution to the store's."
        )
