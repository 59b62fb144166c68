"""Clips: which frames of which source belong together."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import Any, NamedTuple, TypeVar

from raysweep.data import DataConfig
from raysweep.data.index.splits import Stretch, span, split_rule, stretches
from raysweep.data.sources.labels import Split
from raysweep.data.storing.manifest import Manifest
from raysweep.errors import DataError

T = TypeVar("T")


class Clip(NamedTuple):
    """Frames first_frame, first_frame + stride, ... of a source: `length` of them."""

    source: str
    """SourceRecord.name."""
    first_frame: int
    stride: int
    """Source frames from one frame of the clip to the next."""
    length: int
    """Frames."""


def index_clips(manifest: Manifest, split: Split, config: DataConfig) -> list[Clip]:
    """The clips of a split: back to back from each stretch's first frame, by source name, then time.
    Of images, each is a clip of one frame.

    Raises DataError when there is none, but for validation where all frames train, and for a test that
    nobody asked for.
    """
    clips = [
        clip for stretch in stretches(manifest, split, config) for clip in _cut(stretch, config)
    ]
    rule = split_rule(manifest, config)
    may_be_empty = {"train": False, "valid": rule == "none", "test": config.test_fraction == 0}
    if not clips and not may_be_empty[split]:
        raise DataError(_no_clips(manifest, split, rule, config))
    if split == "train" and config.max_clips_per_source is not None:
        return list(_fairly(clips, config.max_clips_per_source))
    if split == "valid" and config.max_validation_frames is not None:
        length = 1 if config.images else config.clip_length
        return spread(clips, max(1, config.max_validation_frames // length))
    return clips


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of them, evenly: the first ones alone would all be of one source."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def middles(length: int, most: int) -> list[int]:
    """Places in a list: the middle of each of at most `most` equal parts, since films begin and end in black."""
    count = min(length, most)
    return [(2 * part + 1) * length // (2 * count) for part in range(count)]


class Starts(Sequence[int]):
    """The frames of one source that a training clip may start at; a film of hours takes a few numbers."""

    def __init__(self, ranges: Iterable[range]) -> None:
        self._ranges = [frames for frames in ranges if frames]
        self._ends = list(accumulate(map(len, self._ranges)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, at: Any) -> Any:
        place = range(len(self))[at]
        of = bisect_right(self._ends, place)
        return self._ranges[of][place - self._ends[of]]


def training_starts(manifest: Manifest, config: DataConfig) -> dict[str, Starts]:
    """By source."""
    ranges = defaultdict(list)
    for source, start, end in stretches(manifest, "train", config):
        ranges[source].append(range(start, end - span(config) + 1))
    return {source: Starts(of_source) for source, of_source in ranges.items()}


def _cut(stretch: Stretch, config: DataConfig) -> Iterator[Clip]:
    length, step = 1 if config.images else config.clip_length, span(config)
    for first in range(stretch.start, stretch.end - step + 1, step):
        yield Clip(stretch.source, first, config.stride, length)


def _fairly(clips: Sequence[Clip], most: int) -> Iterator[Clip]:
    for _, of_source in groupby(clips, key=lambda clip: clip.source):
        yield from spread(list(of_source), most)


def _no_clips(manifest: Manifest, split: Split, rule: str, config: DataConfig) -> str:
    share = "data.test_fraction" if split == "test" else "data.valid_fraction"
    if rule == "folders" and split == "test":
        return (
            "data.split 'folders' takes what is kept for a final test from a folder test/, or from what a list names "
            f"so, got none from {len(manifest.good)} sources. Add one, or set data.split to source or time and "
            "data.store to a new folder."
        )
    if config.images:
        return (
            f"data.split {rule!r} must leave {split} images, got none out of {manifest.counts.frames}. "
            f"Change {share} or data.split, or add images."
        )
    longest = max(record.frames for record in manifest.good)
    lengths = ["data.clip_length", "data.stride", *["data.gap"] * (rule == "time")]
    scenes = "set data.avoid_cuts to false, " if config.avoid_cuts else ""
    return (
        f"data.split {rule!r} must leave {split} clips of {span(config)} frames, got none from "
        f"{len(manifest.good)} sources, the longest of {longest} frames. Lower {' or '.join(lengths)}, "
        f"{scenes}change {share} or data.split, or add footage."
    )
