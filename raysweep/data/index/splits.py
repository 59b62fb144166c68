"""Which frames train, which validate, and which are kept for a final score."""

import math
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Literal, NamedTuple

from raysweep.data import DataConfig
from raysweep.data.sources.labels import Split
from raysweep.data.storing.manifest import Manifest, SourceRecord

SplitRule = Literal["folders", "source", "time", "none"]

SOURCES_TO_SPLIT_BY_SOURCE = 10
"""From this many good sources on, `auto` sets whole sources apart (DataConfig.split)."""


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


def stretches(manifest: Manifest, split: Split, config: DataConfig) -> Iterator[Stretch]:
    """What serves `split`, by source name, then time; cut where scenes are, if clips are to avoid that."""
    records = sorted(manifest.good, key=lambda record: record.name)
    of_split = _of_split(records, split, config, split_rule(manifest, config))
    if not config.avoid_cuts:
        return of_split
    cuts = {record.name: record.cuts for record in records}
    return (scene for stretch in of_split for scene in _scenes(stretch, cuts[stretch.source]))


def span(config: DataConfig) -> int:
    """Source frames from a clip's first to its last."""
    return 1 if config.images else (config.clip_length - 1) * config.stride + 1


def _of_split(
    records: Sequence[SourceRecord], split: Split, config: DataConfig, rule: SplitRule
) -> Iterator[Stretch]:
    if rule == "time":
        return (_by_time(record, config)[split] for record in records)
    if rule == "none":
        return (Stretch(r.name, 0, r.frames if split == "train" else 0) for r in records)
    if rule == "source" and config.images:
        return (images[split] for images in _by_image(records, config))
    of_source = _by_source(records, config) if rule == "source" else _by_folder(records)
    return (Stretch(r.name, 0, r.frames) for r in records if of_source[r.name] == split)


def _by_folder(records: Sequence[SourceRecord]) -> dict[str, Split | None]:
    return {record.name: record.split for record in records}


def _by_source(records: Sequence[SourceRecord], config: DataConfig) -> dict[str, Split]:
    """The last of the sources in the order of a hash, so that a name's neighbours do not follow it: those
    that validate, and before them those that test."""
    names = sorted((r.name for r in records), key=lambda name: sha256(name.encode()).digest())
    first_valid = max(1, len(names) - math.ceil(config.valid_fraction * len(names)))
    first_test = max(1, first_valid - math.ceil(config.test_fraction * len(names)))
    return {
        name: "train" if at < first_test else "test" if at < first_valid else "valid"
        for at, name in enumerate(names)
    }


def _by_image(
    records: Iterable[SourceRecord], config: DataConfig
) -> Iterator[dict[Split, Stretch]]:
    """The last images of each source validate, those before them test: they lie there in the order of a
    hash of their names."""
    before = 0
    for record in records:
        after = before + record.frames
        valid = math.ceil(config.valid_fraction * after) - math.ceil(config.valid_fraction * before)
        test = math.ceil(config.test_fraction * after) - math.ceil(config.test_fraction * before)
        first_valid = record.frames - valid
        first_test = max(0, first_valid - test)
        yield _three(
            record, (0, first_test), (first_valid, record.frames), (first_test, first_valid)
        )
        before = after


def _by_time(record: SourceRecord, config: DataConfig) -> dict[Split, Stretch]:
    """The end validates, what is before it tests, the start trains, each a clip at least; gaps between serve none.

    A source too short for all three does not test, and one too short for two trains as a whole: so what
    validates is the same with a test split and without.
    """
    clip, train_end, frames = span(config), record.frames, record.frames
    gap = max(clip, math.ceil(config.gap * (config.fps or record.fps or 0)))
    apart: dict[Split, tuple[int, int]] = {"valid": (0, 0), "test": (0, 0)}
    shares: dict[Split, float] = {"valid": config.valid_fraction, "test": config.test_fraction}
    for split, share in shares.items():
        most = train_end - gap - clip
        if share and most >= clip:
            taken = min(most, max(clip, math.ceil(share * frames)))
            apart[split] = (train_end - taken, train_end)
            train_end -= taken + gap
    return _three(record, (0, train_end), apart["valid"], apart["test"])


def _three(
    record: SourceRecord, train: tuple[int, int], valid: tuple[int, int], test: tuple[int, int]
) -> dict[Split, Stretch]:
    return {
        "train": Stretch(record.name, *train),
        "valid": Stretch(record.name, *valid),
        "test": Stretch(record.name, *test),
    }


def _scenes(stretch: Stretch, cuts: Sequence[int]) -> Iterator[Stretch]:
    inside = [cut for cut in cuts if stretch.start < cut < stretch.end]
    for start, end in pairwise([stretch.start, *inside, stretch.end]):
        yield Stretch(stretch.source, start, end)
