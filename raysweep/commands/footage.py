"""From what a person pointed at to what trials read: a prepared store, or the files as they lie."""

import hashlib
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from raysweep.commands.console import say
from raysweep.commands.progress import shown as shown_progress
from raysweep.commands.store_report import describe, say_cost, say_neighbours, say_skipped
from raysweep.data import DEMO, DataConfig
from raysweep.data.decoding.decode import IMAGE_READERS, READERS, DecodeError, read_frames
from raysweep.data.demo import check_demo_videos, make_demo_videos
from raysweep.data.sources.discover import Source, discover_for
from raysweep.data.sources.listing import is_there
from raysweep.data.sources.places import Paths, entries_of, is_uri, shown
from raysweep.data.sources.sequences import missing_numbers
from raysweep.data.storing.manifest import (
    Skipped,
    is_finished,
    none_decodes,
    read_manifest,
    require_settings,
)
from raysweep.data.storing.store import is_prepared, prepare
from raysweep.errors import DataError
from raysweep.experiment.layout import Experiment

if TYPE_CHECKING:
    from raysweep.cluster.footage import Footage


def check_footage(data: DataConfig, storage: Path, *, update: bool = False) -> None:
    """Raises DataError unless there is something to read: a store, or footage of which a file gives a frame.

    With `update`, a store of other footage will do.
    """
    if data.source is None and data.store is None:
        raise DataError(
            "there must be footage to train on, and neither data.source nor data.store is set. "
            "Give --data FOLDER, or --data demo for generated videos."
        )
    if data.source is None:
        require_settings(read_manifest(Path(str(data.store))), data.preprocessing)
    elif data.source == DEMO:
        check_demo_videos(_demo_videos(storage))
    else:
        sources, direct = discover_for(data, data.source), data.reading == "direct"
        if direct:
            _require_here(sources)
        store = store_of(data, storage)
        if direct or update or not is_prepared(store, sources, data.preprocessing):
            require_frames(sources, data.images)
            _say_what_is_missing(sources)


def settled(data: DataConfig, experiment: Experiment) -> DataConfig:
    """What the trials of an experiment that has begun read: its finished store alone, once the source is gone."""
    if data.source is None or data.reading == "direct" or not experiment.validation_file.exists():
        return data
    located = _located(data, experiment.folder.parent)
    store = store_of(located, experiment.folder.parent)
    sources = [source for source in (located.source, located.validation_source) if source]
    if all(map(is_there, sources)) or not is_finished(store):
        return data
    only_the_store = {"source": None, "validation_source": None, "store": str(store)}
    return data.model_copy(update=only_the_store)


def prepared(data: DataConfig, storage: Path, *, update: bool = False) -> Path:
    """The store to read, made first where it does not exist; Ray is connected.

    `update` as in `store.prepare`.
    """
    from raysweep.cluster.pipeline import on_all_nodes  # here, since a dry run does without Ray

    if data.source is None:
        return Path(str(data.store)).resolve()
    if data.source == DEMO:
        make_demo_videos(_demo_videos(storage))
    data = _located(data, storage)
    store = store_of(data, storage).resolve()  # on other nodes, too
    assert data.source is not None
    was_there = is_finished(store)
    with shown_progress() as progress:
        manifest = prepare(data.source, store, data, on_all_nodes, progress, update=update)
    word = "already prepared:" if was_there else "prepared"
    say(f"{'brought up to date:' if update else word} {describe(manifest, data)} in {store}")
    if not was_there and data.store is None:
        say_neighbours(store, manifest)
    say_cost(manifest)
    say_skipped(manifest)
    return store


def counted(data: DataConfig, storage: Path) -> "Footage":
    """Read as it lies there, which makes no store; Ray is connected."""
    from raysweep.cluster.footage import in_videos

    if data.source == DEMO:
        make_demo_videos(_demo_videos(storage))
    data = _located(data, storage)
    assert data.source is not None
    footage = in_videos(
        discover_for(data, data.source), shown(data.source), data, storage.resolve()
    )
    say(f"counted {describe(footage.manifest, data)}, read from the files as they are")
    say_skipped(footage.manifest)
    return footage


def store_of(data: DataConfig, storage: Path) -> Path:
    """Where the store of this footage lies, made or not."""
    data = _located(data, storage)
    return Path(data.store) if data.store else default_store(data, storage)


def default_store(data: DataConfig, storage: Path) -> Path:
    """One store per footage and preprocessing, shared by the experiments beside it."""
    source, *more = where = _resolved(data.source)
    if data.validation_source is not None:
        where = [*where, "to validate on:", *_resolved(data.validation_source)]
    made = data.preprocessing.model_dump_json(exclude_defaults=True)
    name = "footage" if more or has_magic(source) else Path(source).name
    digest = hashlib.sha256("\n".join([*where, made]).encode()).hexdigest()[:8]
    return storage / "stores" / f"{name}-{data.resolution}px-{digest}"


def _resolved(source: Paths | None) -> list[str]:
    entries = entries_of(source or ())
    return [entry if is_uri(entry) else str(Path(entry).resolve()) for entry in entries]


def _demo_videos(storage: Path) -> Path:
    return storage / "demo-videos"


def _located(data: DataConfig, storage: Path) -> DataConfig:
    """Generated videos are a folder like any other, once they are made."""
    if data.source != DEMO:
        return data
    return data.model_copy(update={"source": str(_demo_videos(storage))})


def _require_here(sources: Sequence[Source]) -> None:
    """Seeking in a file of another machine would copy it here for every clip."""
    for file in (file for source in sources for file in source.files):
        if file.remote is not None:
            raise DataError(
                f"data.reading direct reads files that nodes see in a folder, and {file.name} is on {file.remote}. "
                "Set data.reading to auto, which prepares a store."
            )


def require_frames(sources: Sequence[Source], images: bool) -> None:
    """Decodes up to the first frame that comes."""
    skipped = []
    for frames, file in ((source.frames, file) for source in sources for file in source.files):
        try:
            with file.local() as path:
                next(read_frames(path, IMAGE_READERS if images or frames else READERS))
        except DecodeError as error:
            skipped.append(Skipped(file.name, str(error)))
        else:
            return
    raise DataError(none_decodes(skipped))


def _say_what_is_missing(sources: Sequence[Source]) -> None:
    """Numbered images may lack some; what they lack is passed over."""
    lacking = {
        source.name: missing
        for source in sources
        if source.frames and (missing := missing_numbers([file.name for file in source.files]))
    }
    if lacking:
        say(
            f"{len(lacking)} of {len(sources)} videos lack numbered images, {sum(lacking.values())} in all, "
            f"first {next(iter(lacking))}: the images before and after are taken as neighbours"
        )
