"""The prepared store: footage decoded once, and a manifest of what became of each source.

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

import pyarrow as pa

from raysweep.data import DataConfig
from raysweep.data.decode import (
    IMAGE_READERS,
    READERS,
    DecodeError,
    Frames,
    Readers,
    frame_rate,
    read_frames,
    readable_name,
)
from raysweep.data.discover import Source, discover
from raysweep.data.fit import fit
from raysweep.data.labels import Split
from raysweep.data.manifest import (
    Manifest,
    Skipped,
    SourceRecord,
    is_finished,
    parse_manifest,
    read_manifest,
    require_settings,
    save_manifest,
)
from raysweep.data.places import File, Paths
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.scenes import Cuts
from raysweep.data.shards import SUFFIX, read_shard, shard_name, write_shard
from raysweep.errors import DataError

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
    sources = discover(
        source,
        config.split,
        validation=config.validation_source,
        images=config.images,
        frame_folders=config.frame_folders,
    )
    settings = config.preprocessing
    if is_prepared(folder, sources, settings):
        return read_manifest(folder)
    one = partial(prepare_source, folder=folder, settings=settings)
    records = []
    for record in run(one, sources):
        records.append(record)
        progress(len(records), len(sources), record)
    where = source if isinstance(source, str | Path) else ", ".join(map(str, source))
    return write_manifest(folder, records, source=where, settings=settings)


def prepare_source(source: Source, folder: Path, settings: Preprocessing) -> SourceRecord:
    """Decodes one source into its shard; of a bad source only the record with its `error` remains.

    A finished shard of the same source and settings is kept as it is.
    """
    record = SourceRecord(name=source.name, split=source.split, source_bytes=source.size)
    shard = folder / "frames" / f"{shard_name(source.name)}{SUFFIX}"
    finished = _finished(shard, record, settings)
    if finished:
        return finished
    record = _decoded(record, source, shard, settings)
    if record.error is not None:
        return record
    note = Manifest(source=source.name, settings=settings, records=(record,))
    save_manifest(note, shard.with_suffix(".json"))
    return record


def write_manifest(
    folder: Path, records: Iterable[SourceRecord], *, source: str | Path, settings: Preprocessing
) -> Manifest:
    """Completes a store; DataError when not one of the sources decoded."""
    in_order = tuple(sorted(records, key=lambda record: record.name))
    where = readable_name(str(source))
    manifest = Manifest(source=where, settings=settings, records=in_order)
    if not manifest.good:
        raise DataError(none_decodes(manifest.skipped))
    save_manifest(manifest, folder / "manifest.json")
    return manifest


def none_decodes(skipped: Sequence[Skipped]) -> str:
    """What to tell where every file was skipped."""
    first = skipped[0]
    return (
        f"data.source needs a file that decodes, got {len(skipped)} that do not, first {first.name!r}: "
        f"{first.error}. Point it at videos that play, or at whole images."
    )


def is_prepared(folder: Path, sources: Sequence[Source], settings: Preprocessing) -> bool:
    """Whether `folder` is the finished store of these sources; False where there is no finished store.

    Raises DataError, saying what differs, where it is the store of something else.
    """
    if not is_finished(folder):
        return False
    manifest = read_manifest(folder)
    require_settings(manifest, settings)
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


def read_shards(folder: Path, manifest: Manifest) -> list[pa.Table]:
    """One table of segments per good source, in the order of the manifest; DataError on a damaged one."""
    return [read_shard(path) for path in shard_paths(folder, manifest)]


def shard_paths(folder: Path, manifest: Manifest) -> list[Path]:
    """The shards of the good sources, in the manifest's order."""
    return [folder / "frames" / str(record.shard) for record in manifest.good]


def _decoded(
    record: SourceRecord, source: Source, shard: Path, settings: Preprocessing
) -> SourceRecord:
    skipped: dict[str, str] = {}
    rates: list[float | None] = []
    readers = IMAGE_READERS if settings.images else READERS
    frames_HWC = (
        _numbered(source.files, skipped)
        if source.frames
        else _frames(source.files, readers, skipped, rates)
    )
    first_HWC = next(frames_HWC, None)
    if first_HWC is None:
        return record.model_copy(
            update={"error": next(iter(skipped.values())), "skipped_files": skipped}
        )
    fitted: Iterator[Frames] = (fit(frame, settings) for frame in chain([first_HWC], frames_HWC))
    cuts = Cuts()
    frames = write_shard(
        shard, record.name, fitted if settings.images else cuts.watch(fitted), settings
    )
    with shard.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    height, width = first_HWC.shape[:2]
    return record.model_copy(
        update={
            "shard": shard.name,
            "sha256": digest,
            "frames": frames,
            "width": width,
            "height": height,
            "fps": rates[0] if rates else None,
            "cuts": tuple(cuts.at),
            "skipped_files": skipped,
        }
    )


def _frames(
    files: Iterable[File], readers: Readers, skipped: dict[str, str], rates: list[float | None]
) -> Iterator[Frames]:
    """The frames of all files, one file after the other; those without any go to `skipped`, what videos
    claim as their frame rate to `rates`, since a file is here for as long as it is read."""
    for file in files:
        try:
            with file.local() as path:
                yield from read_frames(path, readers)
                if readers is READERS:
                    rates.append(frame_rate(path))
        except DecodeError as error:
            skipped[file.name] = str(error)


def _numbered(files: Iterable[File], skipped: dict[str, str]) -> Iterator[Frames]:
    """The frames of a video that lies as images; those of another size than the first go to `skipped`."""
    size = None
    for file in files:
        for frame_HWC in _frames([file], IMAGE_READERS, skipped, []):
            size = size or frame_HWC.shape
            if frame_HWC.shape == size:
                yield frame_HWC
            else:
                skipped[file.name] = "its size is not that of the first frame"


def _finished(shard: Path, asked: SourceRecord, settings: Preprocessing) -> SourceRecord | None:
    note = shard.with_suffix(".json")
    if not (note.is_file() and shard.is_file()):
        return None
    try:
        manifest = parse_manifest(note)
    except DataError:  # of another version
        return None
    record = manifest.records[0]
    same = manifest.settings == settings and record.source_bytes == asked.source_bytes
    return record.model_copy(update={"split": asked.split}) if same else None


def _identity(split: Split | None, size: int) -> str:
    return f"{size} bytes for {split or 'any split'}"
