"""From what a person pointed at to a prepared store, and what its validation frames are."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from raysweep.commands.console import say
from raysweep.data import DataConfig
from raysweep.data.batches import Batches
from raysweep.data.clips import ClipReader, split_rule
from raysweep.data.decode import DecodeError, read_frames
from raysweep.data.demo import check_demo_videos, make_demo_videos
from raysweep.data.discover import Source, discover
from raysweep.data.store import (
    Manifest,
    SourceRecord,
    is_finished,
    is_prepared,
    prepare,
    read_manifest,
    read_shards,
    require_resolution,
)
from raysweep.errors import DataError
from raysweep.experiment.layout import Experiment
from raysweep.training.evaluate import mean_colour_psnr

DEMO = "demo"
"""As a source: videos made from the photographs of scikit-image."""


def check_footage(data: DataConfig, storage: Path) -> None:
    """Raises DataError unless there is something to read: a store, or videos of which one gives a frame."""
    if data.source is None and data.store is None:
        raise DataError(
            "there must be footage to train on, and neither data.source nor data.store is set. "
            "Give --data FOLDER, or --data demo for generated videos."
        )
    if data.source is None:
        require_resolution(read_manifest(Path(str(data.store))), data.resolution)
    elif data.source == DEMO:
        check_demo_videos(_source(data, storage))
    else:
        sources = discover(data.source, data.split)
        store = _store(Path(data.source), data, storage)
        if not is_prepared(store, sources, data.resolution):
            _require_frames(sources)


def settled(data: DataConfig, experiment: Experiment) -> DataConfig:
    """What the trials of an experiment that has begun read: its finished store alone, once the source is gone."""
    if data.source is None or not experiment.validation_file.exists():
        return data
    storage = experiment.folder.parent
    source = _source(data, storage)
    store = _store(source, data, storage)
    if source.expanduser().exists() or not is_finished(store):
        return data
    return data.model_copy(update={"source": None, "store": str(store)})


def prepared(data: DataConfig, storage: Path) -> Path:
    """The store to read, made first where it does not exist; Ray is connected."""
    from raysweep.cluster.pipeline import on_all_nodes  # here, since a dry run does without Ray

    if data.store is not None and data.source is None:
        return Path(data.store).resolve()
    source = _source(data, storage)
    if data.source == DEMO:
        make_demo_videos(source)
    store = _store(source, data, storage)
    manifest = prepare(source, store, data, run=on_all_nodes, progress=_progress)
    say(f"prepared {describe(manifest, data)} in {store}")
    for record in manifest.skipped:
        say(f"  skipped {record.name}: {record.error}")
    return store.resolve()


def default_store(source: Path, resolution: int, storage: Path) -> Path:
    """One store per source and resolution, shared by the experiments beside it."""
    digest = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
    return storage / "stores" / f"{source.resolve().name}-{resolution}px-{digest}"


def _source(data: DataConfig, storage: Path) -> Path:
    assert data.source is not None
    return storage / "demo-videos" if data.source == DEMO else Path(data.source)


def _store(source: Path, data: DataConfig, storage: Path) -> Path:
    return Path(data.store) if data.store else default_store(source, data.resolution, storage)


def _require_frames(sources: Sequence[Source]) -> None:
    """Decodes up to the first frame that comes."""
    reasons = []
    for source in sources:
        try:
            next(read_frames(source.path))
        except DecodeError as error:
            reasons.append(f"{source.name!r}: {error}")
        else:
            return
    raise DataError(
        f"data.source needs a video that decodes, got {len(sources)} that do not, first {reasons[0]}. "
        "Point it at videos that play."
    )


def describe(manifest: Manifest, data: DataConfig) -> str:
    frames = sum(record.frames for record in manifest.good)
    skipped = f", {len(manifest.skipped)} skipped" if manifest.skipped else ""
    rule = split_rule(manifest, data)
    return f"{len(manifest.good)} videos{skipped}, {frames:,} frames of {manifest.resolution} px, split by {rule}"


def write_validation_facts(store: Path, data: DataConfig, path: Path) -> dict[str, float]:
    """What the validation set is, and the PSNR of predicting each frame's own mean colour, as JSON."""
    manifest = read_manifest(store)
    reader = ClipReader(read_shards(store, manifest), manifest.resolution)
    batches = Batches(reader, manifest, data, seed=0)
    facts = {
        "train_clips": len(batches.train_clips),
        "validation_clips": len(batches.valid_clips),
        "validation_frames": len(batches.valid_clips) * data.clip_length,
        "mean_colour_psnr": mean_colour_psnr(batches.validation(), torch.device("cpu")),
    }
    path.write_text(json.dumps(facts, indent=2))
    return facts


def _progress(done: int, total: int, record: SourceRecord) -> None:
    outcome = f"{record.frames} frames" if record.error is None else f"skipped: {record.error}"
    say(f"  [{done}/{total}] {record.name}: {outcome}")
