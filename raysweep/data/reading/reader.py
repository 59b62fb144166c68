"""Clips out of a store: of tables that are all there, or of files that are mapped as they are asked for.

Shapes: T frames of a clip, H = W = resolution, C = 3 (RGB uint8 in [0, 255]), B clips of a batch.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import pyarrow as pa

from raysweep.data.decoding.decode import Frames
from raysweep.data.index.clips import Clip
from raysweep.data.reading.segments import Segment, segments_by_source
from raysweep.data.storing.manifest import Manifest, shard_path
from raysweep.data.storing.shards import read_shard
from raysweep.errors import DataError

MAPPED_SHARDS = 4096
"""Shards that a process maps at once: Linux allows it 65,530 mappings, of which each takes one."""


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
    """Clips from wherever footage lies; several threads may read at once."""

    def read_batch(self, clips: Sequence[Clip], views: Sequence[View] | None = None) -> Frames:
        """BTHWC RGB uint8, of clips of one length; None: the centre of each."""
        ...


class ClipReader:
    """Random access to clips in a store's tables."""

    def __init__(self, tables: Sequence[pa.Table], resolution: int) -> None:
        """DataError when the stored frames do not hold `resolution` pixels a side."""
        self._segments, self._resolution = segments_by_source(tables, resolution), resolution

    def read_batch(self, clips: Sequence[Clip], views: Sequence[View] | None = None) -> Frames:
        """BTHWC RGB uint8, of clips of one length; None: the centre of each."""
        return _batch(self._segments.__getitem__, clips, views, self._resolution)


class MappedReader:
    """Random access to clips in a store's files, which all processes of a machine share in memory.

    A shard is mapped when a clip of it is first asked for; of MAPPED_SHARDS the least recently used goes.
    """

    def __init__(self, store: Path, manifest: Manifest) -> None:
        """DataError when this machine does not see the store."""
        if not store.is_dir():
            raise DataError(
                f"data.reading memory_map needs every node to see the store, and {store} is not there. Put it on a "
                "file system that all nodes share."
            )
        self._resolution = manifest.settings.resolution
        self._shards = {record.name: shard_path(store, record) for record in manifest.good}
        self._segments = lru_cache(MAPPED_SHARDS)(self._map)

    def read_batch(self, clips: Sequence[Clip], views: Sequence[View] | None = None) -> Frames:
        """BTHWC RGB uint8, of clips of one length; None: the centre of each."""
        return _batch(self._segments, clips, views, self._resolution)

    def _map(self, source: str) -> list[Segment]:
        return segments_by_source([read_shard(self._shards[source])], self._resolution)[source]


def window(frames_THWC: Frames, view: View, resolution: int) -> Frames:
    """What `view` shows of whole frames: resolution x resolution pixels."""
    height, width = frames_THWC.shape[1:3]
    top, left = _offset(view.down, height - resolution), _offset(view.right, width - resolution)
    window_THWC = frames_THWC[:, top : top + resolution, left : left + resolution]
    return _mirrored(window_THWC) if view.mirrored else window_THWC


def _mirrored(frames_THWC: Frames) -> Frames:
    """By OpenCV: NumPy takes twenty times as long to copy a reversed view of three-byte pixels."""
    return np.stack([cv2.flip(frame_HWC, 1) for frame_HWC in frames_THWC])


def _batch(
    segments_of: Callable[[str], Sequence[Segment]],
    clips: Sequence[Clip],
    views: Sequence[View] | None,
    side: int,
) -> Frames:
    batch_BTHWC = np.empty((len(clips), clips[0].length, side, side, 3), np.uint8)
    for clip, view, out_THWC in zip(
        clips, views or [CENTER] * len(clips), batch_BTHWC, strict=True
    ):
        _copy(segments_of(clip.source), clip, view, out_THWC)
    return batch_BTHWC


def _copy(segments: Sequence[Segment], clip: Clip, view: View, out_THWC: Frames) -> None:
    done = 0
    while done < clip.length:
        frame = clip.first_frame + done * clip.stride
        at = bisect_right(segments, frame, key=lambda segment: segment.first_frame) - 1
        segment = segments[at]
        wanted = range(frame - segment.first_frame, segment.frames, clip.stride)
        found_THWC = segment.read(wanted[: clip.length - done])
        assert len(found_THWC), f"{clip} reaches beyond its source"
        shown_THWC = window(found_THWC, view, out_THWC.shape[1])
        out_THWC[done : done + len(found_THWC)] = shown_THWC
        done += len(found_THWC)


def _offset(share: float, spare: int) -> int:
    """Of `spare` + 1 places, each for an equal part of [0, 1]; 0.5: the middle one."""
    return min(spare, int(share * (spare + 1))) if share != 0.5 else spare // 2
