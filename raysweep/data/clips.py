"""Clips: which frames of which source belong together, and reading them out of a store's tables.

Shapes: T frames of a clip, H = W = resolution, C = 3 (RGB uint8 in [0, 255]), B clips of a batch.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from raysweep.data import DataConfig
from raysweep.data.decode import Frames
from raysweep.data.discover import Split
from raysweep.data.store import Manifest, SourceRecord
from raysweep.errors import DataError

SplitRule = Literal["folders", "source", "time", "none"]

SOURCES_TO_SPLIT_BY_SOURCE = 10
"""From this many good sources on, `auto` sets whole sources apart (DataConfig.split)."""


class Clip(NamedTuple):
    """Frames first_frame, first_frame + stride, ... of a source: `length` of them."""

    source: str
    """SourceRecord.name."""
    first_frame: int
    stride: int
    """Source frames from one frame of the clip to the next."""
    length: int
    """Frames."""


class Stretch(NamedTuple):
    """Source frames [start, end) that serve one split."""

    source: str
    start: int
    end: int


def split_rule(manifest: Manifest, config: DataConfig) -> SplitRule:
    """The rule that `data.split` comes to for this store."""
    if config.split != "auto":
        return config.split
    if any(
        record.split for record in manifest.records
    ):  # bad ones too: a folder of them is an error
        return "folders"
    by_source = config.images or len(manifest.good) >= SOURCES_TO_SPLIT_BY_SOURCE
    return "source" if by_source else "time"


def index_clips(manifest: Manifest, split: Split, config: DataConfig) -> list[Clip]:
    """The clips of a split: back to back from each stretch's first frame, by source name, then time.
    Of images, each is a clip of one frame.

    Raises DataError when there is none, but for validation clips where all frames train.
    """
    rule, length = split_rule(manifest, config), 1 if config.images else config.clip_length
    span = (length - 1) * config.stride + 1
    clips = [
        Clip(stretch.source, first, config.stride, length)
        for stretch in _stretches(manifest, split, config, span)
        for first in range(stretch.start, stretch.end - span + 1, span)
    ]
    if not clips and not (split == "valid" and rule == "none"):
        raise DataError(_no_clips(manifest, split, rule, span))
    if split == "valid" and config.max_validation_frames is not None:
        return spread(clips, max(1, config.max_validation_frames // length))
    return clips


def spread(clips: Sequence[Clip], count: int) -> list[Clip]:
    """At most `count` of them, evenly: the first ones alone would all be of one source."""
    count = min(count, len(clips))
    return [clips[i * len(clips) // count] for i in range(count)]


def training_starts(manifest: Manifest, config: DataConfig) -> dict[str, range]:
    """By source, the frames that a training clip may start at."""
    span = (config.clip_length - 1) * config.stride + 1
    return {
        stretch.source: range(stretch.start, stretch.end - span + 1)
        for stretch in _stretches(manifest, "train", config, span)
    }


class ClipReader:
    """Random access to clips in a store's tables, whose buffers it views without copying."""

    def __init__(self, tables: Sequence[pa.Table], resolution: int) -> None:
        """DataError when the segments are not frames of `resolution` pixels a side."""
        self._segments: dict[str, list[tuple[int, Frames]]] = defaultdict(list)
        self._resolution = resolution
        for source, first_frame, frames_THWC in _segments(tables, resolution):
            self._segments[source].append((first_frame, frames_THWC))
        for segments in self._segments.values():
            segments.sort(key=lambda segment: segment[0])

    def read(self, clip: Clip) -> Frames:
        """THWC RGB uint8."""
        clip_THWC: Frames = self.read_batch([clip])[0]
        return clip_THWC

    def read_batch(self, clips: Sequence[Clip]) -> Frames:
        """BTHWC RGB uint8, of clips of one length."""
        side = self._resolution
        batch_BTHWC = np.empty((len(clips), clips[0].length, side, side, 3), np.uint8)
        for clip, out_THWC in zip(clips, batch_BTHWC, strict=True):
            self._copy(clip, out_THWC)
        return batch_BTHWC

    def _copy(self, clip: Clip, out_THWC: Frames) -> None:
        segments = self._segments[clip.source]
        done = 0
        while done < clip.length:
            frame = clip.first_frame + done * clip.stride
            at = bisect_right(segments, frame, key=lambda segment: segment[0]) - 1
            first_frame, segment_THWC = segments[at]
            found_THWC = segment_THWC[frame - first_frame :: clip.stride][: clip.length - done]
            assert len(found_THWC), f"{clip} reaches beyond its source"
            out_THWC[done : done + len(found_THWC)] = found_THWC
            done += len(found_THWC)


def _stretches(
    manifest: Manifest, split: Split, config: DataConfig, span: int
) -> Iterator[Stretch]:
    records = sorted(manifest.good, key=lambda record: record.name)
    rule = split_rule(manifest, config)
    if rule == "time":
        return (_by_time(record, split, config.valid_fraction, span) for record in records)
    if rule == "none":
        return (Stretch(r.name, 0, r.frames if split == "train" else 0) for r in records)
    if rule == "source" and config.images:
        return _by_image(records, split, config.valid_fraction)
    of_split = (
        _by_source(records, config.valid_fraction) if rule == "source" else _by_folder(records)
    )
    return (Stretch(r.name, 0, r.frames) for r in records if of_split[r.name] == split)


def _by_folder(records: Sequence[SourceRecord]) -> dict[str, Split | None]:
    return {record.name: record.split for record in records}


def _by_source(records: Sequence[SourceRecord], fraction: float) -> dict[str, Split | None]:
    """The last of the sources in the order of a hash, so that a name's neighbours do not follow it."""
    names = sorted((r.name for r in records), key=lambda name: sha256(name.encode()).digest())
    first_valid = max(1, len(names) - math.ceil(fraction * len(names)))
    return {name: "train" if at < first_valid else "valid" for at, name in enumerate(names)}


def _by_image(records: Iterable[SourceRecord], split: Split, fraction: float) -> Iterator[Stretch]:
    """The last images of each source validate: they lie there in the order of a hash of their names."""
    before = 0
    for record in records:
        first, after = (math.ceil(fraction * images) for images in (before, before + record.frames))
        cut = record.frames - (after - first)
        yield Stretch(record.name, *((0, cut) if split == "train" else (cut, record.frames)))
        before += record.frames


def _by_time(record: SourceRecord, split: Split, fraction: float, span: int) -> Stretch:
    """Start trains, end validates (one clip at least), one span between them serves neither.

    A source too short for a clip, the gap and a clip trains as a whole.
    """
    if record.frames < 3 * span:
        return Stretch(record.name, 0, record.frames if split == "train" else 0)
    valid_start = record.frames - max(span, math.ceil(fraction * record.frames))
    if split == "valid":
        return Stretch(record.name, valid_start, record.frames)
    return Stretch(record.name, 0, max(0, valid_start - span))


def _no_clips(manifest: Manifest, split: Split, rule: SplitRule, span: int) -> str:
    longest = max(record.frames for record in manifest.good)
    return (
        f"data.split {rule!r} must leave {split} clips of {span} frames, got none from "
        f"{len(manifest.good)} sources, the longest of {longest} frames. Lower data.clip_length or "
        f"data.stride, change data.valid_fraction or data.split, or add footage."
    )


def _segments(tables: Sequence[pa.Table], resolution: int) -> Iterator[tuple[str, int, Frames]]:
    for table in tables:
        sources, starts = table["source"].to_pylist(), table["first_frame"].to_pylist()
        for source, start, data in zip(sources, starts, table["data"], strict=True):
            yield source, start, _view(data, resolution)


def _view(data: pa.BinaryScalar, resolution: int) -> Frames:
    flat = np.frombuffer(data.as_buffer(), np.uint8)
    if flat.size % (resolution * resolution * 3):
        raise DataError(
            f"segments must be frames of data.resolution {resolution}, got {flat.size} bytes. "
            "Set data.resolution to the store's."
        )
    return flat.reshape(-1, resolution, resolution, 3)
