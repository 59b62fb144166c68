"""What there is to read where nothing is prepared: every source's frames, counted by decoding."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    Readers,
    frame_rate,
    read_timed,
)
from raysweep.data.sources.discover import Run, Source
from raysweep.data.storing.making import diary
from raysweep.data.storing.manifest import Manifest, SourceRecord, require_good
from raysweep.data.storing.shards import shard_name


class Located(NamedTuple):
    """Where a source's frames are."""

    paths: tuple[Path, ...]
    """The video, or an image for each frame."""
    times: NDArray[np.float64]
    """When each frame of a video is shown, in seconds, as its container says: how a frame is known again."""


class Counted(NamedTuple):
    """A source that was decoded from the front to the end, and not kept."""

    record: SourceRecord
    located: Located


class Uncopied(NamedTuple):
    """Footage as it lies there: what `manifest.json` says of a store, and where the frames are."""

    manifest: Manifest
    located: dict[str, Located]
    """By SourceRecord.name."""


def count(
    sources: Sequence[Source],
    where: str,
    config: DataConfig,
    scratch: Path,
    run: Run[Counted] = map,
) -> Uncopied:
    """`scratch`: an empty folder that all nodes see.

    Bad files are skipped and named in the manifest; DataError when there is none that decodes, or more bad
    ones than `max_bad_fraction`.
    """
    done = list(run(partial(count_source, images=config.images, scratch=scratch), sources))
    records = tuple(sorted((one.record for one in done), key=lambda record: record.name))
    manifest = Manifest(source=where, settings=config.preprocessing, records=records)
    require_good(manifest, config.max_bad_fraction)
    located = {one.record.name: one.located for one in done if one.record.error is None}
    return Uncopied(manifest, located)


def count_source(source: Source, *, images: bool, scratch: Path) -> Counted:
    """The record that a store would have; its `sha256` is of the source's name, bytes and frames."""
    skipped: dict[str, str] = {}
    found: list[_Decoded] = []
    with diary(scratch / f"{shard_name(source.name, source.size)}.diary") as tries:
        for file in source.files:
            try:
                tries.begin(file.name)
                with file.local() as path:
                    found.append(_decoded(path, IMAGE_READERS if images else READERS))
            except DecodeError as error:
                skipped[file.name] = str(error)
    record = SourceRecord(
        name=source.name,
        split=source.split,
        source_bytes=source.size,
        skipped_files=skipped,
        error=None if found else next(iter(skipped.values())),
    )
    times = [seconds for one in found for seconds in one.times]
    if found:
        known_by = f"{record.name}\n{record.source_bytes}\n{len(times)}"
        height, width = found[0].size
        of_frames = {
            "sha256": sha256(known_by.encode()).hexdigest(),
            "frames": len(times),
            "height": height,
            "width": width,
            "fps": None if images else frame_rate(found[0].path),
        }
        record = record.model_copy(update=of_frames)
    return Counted(record, Located(tuple(one.path for one in found), np.array(times)))


class _Decoded(NamedTuple):
    """A file whose frames passed by."""

    path: Path
    size: tuple[int, int]
    """Height and width of its first frame."""
    times: list[float]
    """When each frame is shown, in seconds."""


def _decoded(path: Path, readers: Readers) -> _Decoded:
    frames = read_timed(path, readers, _refuse)
    first = next(frames)
    height, width = first.frame.shape[:2]
    return _Decoded(path, (height, width), [first.seconds, *(timed.seconds for timed in frames)])


def _refuse(what: str) -> NoReturn:
    raise DecodeError(f"{what}; a store with data.keep_partial=true keeps what decodes")
