"""The prepared store: footage decoded once, at one resolution, and a manifest of what became of each source.

A store is a folder: `manifest.json`, and `frames/` with a shard per source, which is a video or many images
(see shards.py and discover.py), and beside each shard a note, which is a manifest of that one source. The
manifest is written last: without it a store is unfinished, and a second prepare keeps the shards that have
their note.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import file_digest
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pydantic import Field, ValidationError

from raysweep.data import DataConfig
from raysweep.data.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    Frames,
    Readers,
    fit_square,
    frame_rate,
    read_frames,
    readable_name,
)
from raysweep.data.discover import File, Paths, Source, Split, discover
from raysweep.data.shards import SEGMENT_FRAMES, read_shard, shard_name, whole_file, write_shard
from raysweep.errors import DataError
from raysweep.schema import Config

VERSION = 1
"""Of the store's format."""


class SourceRecord(Config):
    """What became of one source."""

    name: str
    """Source.name."""
    split: Split | None
    """Source.split."""
    source_bytes: int
    """Size of the source's files, by which a replaced file is noticed."""
    shard: str | None = None
    """File name in `frames/`; None for a source that was skipped."""
    sha256: str | None = None
    """Of the shard."""
    frames: int = 0
    """Frames that decoded."""
    width: int = 0
    """Pixels of the first frame before it was made square."""
    height: int = 0
    """Pixels of the first frame before it was made square."""
    fps: float | None = None
    """Frames per second as a video claims; None where it claims nothing usable, and for images."""
    error: str | None = None
    """Why the source was skipped; None: it was not."""
    skipped_files: dict[str, str] = Field(default_factory=dict)
    """File.name of those without a frame -> why."""


class Skipped(NamedTuple):
    """A video or image that is not in the store."""

    name: str
    """File.name."""
    error: str
    """Why."""


class Manifest(Config):
    """What a store holds."""

    version: int = VERSION
    """Of the store's format."""
    source: str
    """Where the footage was found."""
    resolution: int
    """Pixels, height and width of every frame."""
    images: bool = False
    """DataConfig.images: no frame has to do with the next."""
    segment_frames: int = SEGMENT_FRAMES
    """Source frames in a segment, at most."""
    records: tuple[SourceRecord, ...]
    """One per source, sorted by name."""

    @property
    def good(self) -> tuple[SourceRecord, ...]:
        """The sources that were decoded."""
        return tuple(record for record in self.records if record.error is None)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The files that were not."""
        return tuple(skipped for record in self.records for skipped in _skipped(record))


Run = Callable[[Callable[[Source], SourceRecord], Iterable[Source]], Iterable[SourceRecord]]
"""Applies a picklable function to every source, in any order and anywhere: `map`, or a cluster."""

Progress = Callable[[int, int, SourceRecord], None]
"""Called with sources done, sources in all, and the source just done."""


def prepare(
    source: Paths,
    folder: Path,
    config: DataConfig,
    run: Run = map,
    progress: Progress = lambda done, total, record: None,
) -> Manifest:
    """Makes `folder` a store of the footage in `source`, and in `config.validation_source` where that is
    set; nothing is done where it already is that store.

    Bad files are skipped and named in the manifest. Raises DataError when there is none, none that
    decodes, or when `folder` is a store of something else.
    """
    images = config.images
    sources = discover(source, config.split, validation=config.validation_source, images=images)
    if is_prepared(folder, sources, config.resolution):
        return read_manifest(folder)
    one = partial(prepare_source, folder=folder, resolution=config.resolution, images=images)
    records = []
    for record in run(one, sources):
        records.append(record)
        progress(len(records), len(sources), record)
    where = source if isinstance(source, str | Path) else ", ".join(map(str, source))
    return write_manifest(
        folder, records, source=where, resolution=config.resolution, images=images
    )


def prepare_source(
    source: Source, folder: Path, resolution: int, images: bool = False
) -> SourceRecord:
    """Decodes one source into its shard; of a bad source only the record with its `error` remains.

    A finished shard of the same source and resolution is kept as it is.
    """
    record = SourceRecord(name=source.name, split=source.split, source_bytes=source.size)
    shard = folder / "frames" / f"{shard_name(source.name)}.parquet"
    finished = _finished(shard, record, resolution)
    if finished:
        return finished
    record = _decoded(record, source.files, shard, resolution, images)
    if record.error is not None:
        return record
    note = Manifest(source=source.name, resolution=resolution, records=(record,))
    _write(note, shard.with_suffix(".json"))
    return record


def write_manifest(
    folder: Path,
    records: Iterable[SourceRecord],
    *,
    source: str | Path,
    resolution: int,
    images: bool = False,
) -> Manifest:
    """Completes a store; DataError when not one of the sources decoded."""
    in_order = tuple(sorted(records, key=lambda record: record.name))
    where = readable_name(str(source))
    manifest = Manifest(source=where, resolution=resolution, images=images, records=in_order)
    if not manifest.good:
        raise DataError(none_decodes(manifest.skipped))
    _write(manifest, folder / "manifest.json")
    return manifest


def none_decodes(skipped: Sequence[Skipped]) -> str:
    """What to tell where every file was skipped."""
    first = skipped[0]
    return (
        f"data.source needs a file that decodes, got {len(skipped)} that do not, first {first.name!r}: "
        f"{first.error}. Point it at videos that play, or at whole images."
    )


def read_manifest(folder: Path) -> Manifest:
    """DataError when `folder` is not a finished store of this version."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise DataError(
            f"data.store must be a finished store, {path} does not exist. Run raysweep prepare."
        )
    return _parse(path)


def is_finished(folder: Path) -> bool:
    """Whether `folder` is a store that a prepare has completed."""
    return (folder / "manifest.json").is_file()


def is_prepared(folder: Path, sources: Sequence[Source], resolution: int) -> bool:
    """Whether `folder` is the finished store of these sources; False where there is no finished store.

    Raises DataError, saying what differs, where it is the store of something else.
    """
    if not is_finished(folder):
        return False
    manifest = read_manifest(folder)
    require_resolution(manifest, resolution)
    stored = {
        record.name: _identity(record.split, record.source_bytes) for record in manifest.records
    }
    asked = {found.name: _identity(found.split, found.size) for found in sources}
    for name in sorted(stored.keys() | asked.keys()):
        if stored.get(name) != asked.get(name):
            raise DataError(
                f"a store keeps its sources: {name!r} is stored as {stored.get(name, 'absent')}, asked "
                f"as {asked.get(name, 'absent')}. Set data.store to a new folder or delete {folder}."
            )
    return True


def require_resolution(manifest: Manifest, resolution: int) -> None:
    """DataError unless the frames of the store have this many pixels a side."""
    if manifest.resolution != resolution:
        raise DataError(
            f"data.resolution must be that of the store, stored {manifest.resolution}, asked "
            f"{resolution}. Set data.resolution to {manifest.resolution} or data.store to a new folder."
        )


def require_images(manifest: Manifest, images: bool) -> None:
    """DataError unless the store was made with this `data.images`."""
    if manifest.images != images:
        asked, stored = (str(flag).lower() for flag in (images, manifest.images))
        raise DataError(
            f"data.images must be that of the store, stored {stored}, asked {asked}. "
            f"Set data.images to {stored} or data.store to a new folder."
        )


def read_shards(folder: Path, manifest: Manifest) -> list[pa.Table]:
    """One table of segments per good source, in the order of the manifest; DataError on a damaged one."""
    return [read_shard(path) for path in shard_paths(folder, manifest)]


def shard_paths(folder: Path, manifest: Manifest) -> list[Path]:
    """The Parquet files of the good sources, in the manifest's order."""
    return [folder / "frames" / str(record.shard) for record in manifest.good]


def _decoded(
    record: SourceRecord, files: Sequence[File], shard: Path, resolution: int, images: bool
) -> SourceRecord:
    skipped: dict[str, str] = {}
    frames_HWC = _frames(files, IMAGE_READERS if images else READERS, skipped)
    first_HWC = next(frames_HWC, None)
    if first_HWC is None:
        return record.model_copy(
            update={"error": next(iter(skipped.values())), "skipped_files": skipped}
        )
    fitted = (fit_square(frame, resolution) for frame in chain([first_HWC], frames_HWC))
    frames = write_shard(shard, record.name, fitted)
    with shard.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    height, width = first_HWC.shape[:2]
    fps = None if images else frame_rate(files[0].path)
    made = {"shard": shard.name, "sha256": digest, "frames": frames, "fps": fps}
    return record.model_copy(
        update={**made, "width": width, "height": height, "skipped_files": skipped}
    )


def _frames(files: Iterable[File], readers: Readers, skipped: dict[str, str]) -> Iterator[Frames]:
    """The frames of all files, one file after the other; those without any go to `skipped`."""
    for name, path in files:
        try:
            yield from read_frames(path, readers)
        except DecodeError as error:
            skipped[name] = str(error)


def _skipped(record: SourceRecord) -> Iterator[Skipped]:
    if record.error is not None and not record.skipped_files:  # of an older store
        yield Skipped(record.name, record.error)
    yield from (Skipped(name, error) for name, error in record.skipped_files.items())


def _finished(shard: Path, asked: SourceRecord, resolution: int) -> SourceRecord | None:
    note = shard.with_suffix(".json")
    if not (note.is_file() and shard.is_file()):
        return None
    try:
        manifest = _parse(note)
    except DataError:  # of another version
        return None
    record = manifest.records[0]
    same = manifest.resolution == resolution and record.source_bytes == asked.source_bytes
    return record.model_copy(update={"split": asked.split}) if same else None


def _identity(split: Split | None, size: int) -> str:
    return f"{size} bytes for {split or 'any split'}"


def _write(manifest: Manifest, path: Path) -> None:
    with whole_file(path) as part:
        part.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")


def _parse(path: Path) -> Manifest:
    remedy = f"Delete {path.parent} and run raysweep prepare."
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError:
        raise DataError(
            f"a manifest must have format {VERSION}, {path} has not. {remedy}"
        ) from None
    if manifest.version != VERSION:
        raise DataError(
            f"a manifest must have format {VERSION}, {path} has {manifest.version}. {remedy}"
        )
    return manifest
