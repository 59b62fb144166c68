"""The prepared store: footage decoded once, and a manifest of what became of each source.

A store is a folder: `manifest.json`, and `frames/` with a shard per source, which is a video or many images
(see shards.py and discover.py), and beside each shard a note, which is a manifest of that one source. The
manifest is written last, when the shards are on the disk: without it a store is unfinished, and a second
prepare keeps the shards that have their note. Nothing in a store tells when, where or in which order it was
made: the same footage gives the same bytes.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import readable_name, to_rgb
from raysweep.data.decoding.fit import fit
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.discover import Run, Source, discover_for
from raysweep.data.sources.labels import Split
from raysweep.data.sources.places import Paths
from raysweep.data.storing.frames import Incomplete, SourceReader
from raysweep.data.storing.making import Diary, alone_in, diary, was_left
from raysweep.data.storing.manifest import (
    Manifest,
    SourceRecord,
    is_finished,
    parse_manifest,
    read_manifest,
    require_good,
    require_settings,
    save_manifest,
    shard_path,
)
from raysweep.data.storing.scenes import Cuts
from raysweep.data.storing.shards import SUFFIX, flush, shard_name, write_shard
from raysweep.data.storing.upkeep import remove_orphans
from raysweep.errors import DataError
from raysweep.full_disk import told_when_full


class Done(NamedTuple):
    """How far a prepare is."""

    record: SourceRecord
    """Of the source just done."""
    files: int
    of_files: int
    source_bytes: int
    of_source_bytes: int
    is_kept: bool = False
    """Its shard was there before."""


def prepare(
    source: Paths,
    folder: Path,
    config: DataConfig,
    run: Run[SourceRecord] = map,
    progress: Callable[[Done], None] = lambda done: None,
    *,
    update: bool = False,
) -> Manifest:
    """Makes `folder` a store of the footage in `source`, and in `config.validation_source` where that is
    set; nothing is done where it already is that store.

    Bad files are skipped and named in the manifest. Raises DataError when there is none, none that decodes,
    more bad ones than `max_bad_fraction`, when another prepare works on `folder`, or when that is a store of
    something else. With `update` it may be one of other footage, of which it keeps what is asked; who reads
    it meanwhile reads the old manifest and the old shards, until the new manifest stands.
    """
    sources = discover_for(config, source)
    settings = config.preprocessing
    there = None if update or was_left(folder) else _whole(folder, sources, settings)
    if there is not None:
        require_good(there, config.max_bad_fraction)
        return there
    if update and is_finished(folder):
        require_settings(read_manifest(folder), settings)
    where = source if isinstance(source, str | Path) else ", ".join(map(str, source))
    with told_when_full(folder), alone_in(folder) as parts:
        manifest = None if update else _whole(folder, sources, settings)
        if manifest is None:
            one = partial(prepare_source, folder=folder, settings=settings, parts=parts)
            told = _told(run(one, sources), sources, progress, there=_shards_in(folder))
            records = _on_the_disk(folder, told)
            manifest = _completed(folder, records, where, config, parts)
        remove_orphans(folder, manifest)
    return manifest


def prepare_source(
    source: Source, folder: Path, settings: Preprocessing, parts: Path
) -> SourceRecord:
    """Decodes one source into its shard; of a bad source only the record with its `error` remains.

    A finished shard of the same source and settings is kept as it is. `parts` is making.alone_in's.
    """
    record = SourceRecord(name=source.name, split=source.split, source_bytes=source.size)
    name = shard_name(source.name, record.source_bytes)
    shard = folder / "frames" / f"{name}{SUFFIX}"
    finished = _finished(shard, record, settings)
    if finished:
        return finished
    with told_when_full(shard):
        with diary(parts / f"{name}.diary") as tries:
            record = _decoded(record, source, shard, settings, parts, tries)
        if record.error is None:
            note = Manifest(source=source.name, settings=settings, records=(record,))
            save_manifest(note, shard.with_suffix(".json"), parts)
    return record


def is_prepared(folder: Path, sources: Sequence[Source], settings: Preprocessing) -> bool:
    """Whether `folder` is the finished store of these sources; False where there is no finished store.

    Raises DataError, saying what differs, where it is the store of something else.
    """
    return _prepared(folder, sources, settings) is not None


def _prepared(folder: Path, sources: Sequence[Source], settings: Preprocessing) -> Manifest | None:
    """Its manifest, where `is_prepared`."""
    if not is_finished(folder):
        return None
    manifest = read_manifest(folder)
    require_settings(manifest, settings)
    stored = {
        record.name: _identity(record.split, record.source_bytes) for record in manifest.records
    }
    asked = {found.name: _identity(found.split, found.size) for found in sources}
    changed = [
        name for name in sorted(stored.keys() | asked.keys()) if stored.get(name) != asked.get(name)
    ]
    if changed:
        name, rest = changed[0], len(changed) - 1
        raise DataError(
            f"a store keeps its sources: {name!r} is stored as {stored.get(name, 'absent')}, asked as "
            f"{asked.get(name, 'absent')}{f', and {rest} more differ' if rest else ''}. Run raysweep "
            f"prepare --update with the same settings, set data.store to a new folder, or delete {folder}."
        )
    return manifest


def _whole(folder: Path, sources: Sequence[Source], settings: Preprocessing) -> Manifest | None:
    """As `_prepared`, with every shard there in its size."""
    manifest = _prepared(folder, sources, settings)
    if manifest is None:
        return None
    there = _shards_in(folder)
    is_whole = all(there.get(str(record.shard)) == record.shard_bytes for record in manifest.good)
    return manifest if is_whole else None


def _shards_in(folder: Path) -> dict[str, int]:
    """File name -> bytes."""
    return {path.name: path.stat().st_size for path in (folder / "frames").glob(f"*{SUFFIX}")}


def shard_paths(folder: Path, manifest: Manifest) -> list[Path]:
    """The shards of the good sources, in the manifest's order."""
    return [shard_path(folder, record) for record in manifest.good]


def _told(
    records: Iterable[SourceRecord],
    sources: Sequence[Source],
    progress: Callable[[Done], None],
    there: Container[str | None],
) -> Iterator[SourceRecord]:
    count = {source.name: len(source.files) for source in sources}
    files, size = 0, 0
    of_files, of_size = sum(count.values()), sum(source.size for source in sources)
    for record in records:
        files, size = files + count[record.name], size + record.source_bytes
        progress(Done(record, files, of_files, size, of_size, is_kept=record.shard in there))
        yield record


def _on_the_disk(folder: Path, records: Iterable[SourceRecord]) -> list[SourceRecord]:
    """All records, once their shards are safe from a power cut; the disk's time passes during decoding."""
    kept, written = [], []
    with ThreadPoolExecutor(1) as disk:
        for record in records:
            kept.append(record)
            if record.shard is not None:
                written.append(disk.submit(flush, shard_path(folder, record)))
    for each in written:
        each.result()
    return kept


def _completed(
    folder: Path,
    records: Iterable[SourceRecord],
    source: str | Path,
    config: DataConfig,
    parts: Path,
) -> Manifest:
    """The store's manifest, written; DataError when not one of the sources decoded, or too many did not."""
    in_order = tuple(sorted(records, key=lambda record: record.name))
    where = readable_name(str(source))
    manifest = Manifest(source=where, settings=config.preprocessing, records=in_order)
    require_good(manifest, config.max_bad_fraction)
    save_manifest(manifest, folder / "manifest.json", parts)
    flush(folder / "manifest.json")
    return manifest


def _decoded(
    record: SourceRecord,
    source: Source,
    shard: Path,
    settings: Preprocessing,
    parts: Path,
    tries: Diary,
) -> SourceRecord:
    reader = SourceReader(source, settings, tries)
    try:
        found = _written(reader, record.name, shard, settings, parts)
    except Incomplete as error:
        return record.model_copy(update={"error": str(error)})
    return record.model_copy(
        update={
            **found,
            "fps": reader.fps,
            "lacks": reader.lacks,
            "skipped_files": reader.skipped_files,
        }
    )


def _written(
    reader: SourceReader, name: str, shard: Path, settings: Preprocessing, parts: Path
) -> dict[str, object]:
    """What the record says of the shard, or why there is none."""
    frames_HWC = reader.frames()
    first_HWC = next(frames_HWC, None)
    if first_HWC is None:
        return {"error": next(iter(reader.skipped_files.values()))}
    # Colours change places once the frame is small: done before, preparing costs a tenth more.
    fitted = (to_rgb(fit(frame, settings)) for frame in chain([first_HWC], frames_HWC))
    cuts = Cuts()
    watched = fitted if settings.images else cuts.watch(fitted)
    written = write_shard(shard, name, watched, settings, parts)
    height, width = first_HWC.shape[:2]
    return {
        **written._asdict(),
        "shard": shard.name,
        "width": width,
        "height": height,
        "cuts": tuple(cuts.at),
    }


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
    same = same and record.shard_bytes == shard.stat().st_size
    return record.model_copy(update={"split": asked.split}) if same else None


def _identity(split: Split | None, size: int) -> str:
    return f"{size} bytes for {split or 'any split'}"
