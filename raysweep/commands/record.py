"""What ranks the trials of an experiment: recorded when it begins, and what each of them is held to."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import torch

from raysweep.commands.footage import settled, store_of
from raysweep.comparable import Fingerprint, fingerprint, require_same
from raysweep.config import RunConfig
from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.index.splits import span
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.reader import Reader
from raysweep.data.storing.manifest import Manifest, is_finished, read_manifest
from raysweep.data.storing.shards import whole_file
from raysweep.experiment.layout import Experiment
from raysweep.schema import parse
from raysweep.training.evaluate import mean_colour_psnr


def held_to_record(
    run: RunConfig, manifest: Manifest, experiment: Experiment, metrics: Sequence[str]
) -> Fingerprint:
    """What the experiment recorded; the run's own, where nothing is recorded yet.

    ConfigError where the run's scores by `metrics` would not compare with the other trials'.
    """
    recorded = read_record(experiment)
    if recorded is None:
        return fingerprint(run, manifest)
    require_same(recorded, fingerprint(run, manifest, metrics), metrics)
    return recorded


def check_record(run: RunConfig, experiment: Experiment, metrics: Sequence[str]) -> None:
    """As `held_to_record`, before anything starts: where the store is there."""
    store = store_of(settled(run.data, experiment), experiment.folder.parent)
    if run.data.reading != "direct" and is_finished(store):
        held_to_record(run, read_manifest(store), experiment, metrics)


def write_validation_facts(
    reader: Reader, manifest: Manifest, data: DataConfig, record: Fingerprint, path: Path
) -> dict[str, float]:
    """What the validation set is, and where there is one the PSNR of predicting each frame's own mean
    colour, as JSON beside the `record` that trials are held to."""
    batches = Batches(reader, manifest, data, seed=0)
    facts: dict[str, float] = {
        "train_clips": len(batches.train_clips),
        "validation_clips": len(batches.valid_clips),
        "validation_frames": sum(clip.length for clip in batches.valid_clips),
        "test_clips": len(index_clips(manifest, "test", data)),
        "too_short_sources": sum(good.frames < span(data) for good in manifest.good),
    }
    if batches.valid_clips:
        with closing(batches.validation()) as clips:
            facts["mean_colour_psnr"] = mean_colour_psnr(clips, torch.device("cpu"))
    with whole_file(path) as part:
        part.write_text(json.dumps({**facts, "fingerprint": record.model_dump()}, indent=2))
    return facts


def read_record(experiment: Experiment) -> Fingerprint | None:
    """None: the experiment has not begun, or did so under a version that recorded nothing."""
    if not experiment.validation_file.exists():
        return None
    recorded = json.loads(experiment.validation_file.read_text()).get("fingerprint")
    return None if recorded is None else parse(Fingerprint, recorded)
