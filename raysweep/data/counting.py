"""What there is to read where nothing is prepared: every source's frames, counted by decoding."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from raysweep.data.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    frame_rate,
    open_video,
    read_frames,
)
from raysweep.data.discover import Source
from raysweep.data.manifest import Manifest, SourceRecord
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.store import none_decodes
from raysweep.errors import DataError


class Located(NamedTuple):
    """Where a source's frames are."""

    paths: tuple[Path, ...]
    """The video, or an image for each frame."""
    times_ms: NDArray[np.float64]
    """When each frame of a video is shown, as its container says: how a frame is known again. None of images."""


class Counted(NamedTuple):
    """A source that was decoded from the front to the end, and not kept."""

    record: SourceRecord
    located: Located


Run = Callable[[Callable[[Source], Counted], Sequence[Source]], Iterable[Counted]]
"""Applies a picklable function to every source, in any order and anywhere: `map`, or a cluster."""


class Uncopied(NamedTuple):
    """Footage as it lies there: what `manifest.json` says of a store, and where the frames are."""

    manifest: Manifest
    located: dict[str, Located]
    """By SourceRecord.name."""


def count(
    sources: Sequence[Source], where: str, settings: Preprocessing, run: Run = map
) -> Uncopied:
    """Bad files are skipped and named in the manifest; DataError when there is none that decodes."""
    _require_near(sources)
    done = list(run(partial(count_source, images=settings.images), sources))
    records = tuple(sorted((one.record for one in done), key=lambda record: record.name))
    manifest = Manifest(source=where, settings=settings, records=records)
    if not manifest.good:
        raise DataError(none_decodes(manifest.skipped))
    located = {one.record.name: one.located for one in done if one.record.error is None}
    return Uncopied(manifest, located)


def count_source(source: Source, *, images: bool) -> Counted:
    """The record that a store would have; its `sha256` is of the source's name, bytes and frames."""
    skipped: dict[str, str] = {}
    paths, sizes, times_ms = [], [], []
    for file in source.files:
        try:
            first_HWC = next(read_frames(file.path, IMAGE_READERS if images else READERS))
            times_ms += [] if images else _times(file.path)
        except DecodeError as error:
            skipped[file.name] = str(error)
        else:
            paths.append(file.path)
            sizes.append(first_HWC.shape[:2])
    record = SourceRecord(
        name=source.name,
        split=source.split,
        source_bytes=source.size,
        skipped_files=skipped,
        error=None if paths else next(iter(skipped.values())),
    )
    if paths:
        frames = len(paths) if images else len(times_ms)
        known_by = f"{record.name}\n{record.source_bytes}\n{frames}"
        found = {
            "sha256": sha256(known_by.encode()).hexdigest(),
            "frames": frames,
            "height": sizes[0][0],
            "width": sizes[0][1],
            "fps": None if images else frame_rate(paths[0]),
        }
        record = record.model_copy(update=found)
    return Counted(record, Located(tuple(paths), np.array(times_ms)))


def _require_near(sources: Iterable[Source]) -> None:
    for file in (file for source in sources for file in source.files):
        if file.remote is not None:
            raise DataError(
                f"data.reading direct seeks in files of this machine, and {file.name} is on {file.remote}. "
                "Leave data.reading out: preparing copies each file once."
            )


def _times(path: Path) -> list[float]:
    """Of every frame that decodes, in milliseconds."""
    video, times_ms = open_video(path), []
    while video.grab():
        times_ms.append(float(video.get(cv2.CAP_PROP_POS_MSEC)))
    return times_ms
