"""The frames that an experiment's trials are validated on, read on this machine without Ray."""

from pathlib import Path
from tempfile import TemporaryDirectory

from raysweep.commands.footage import located, settled, store_of
from raysweep.commands.record import read_record
from raysweep.config import RunConfig
from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.index.fingerprint import clips_digest
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.counting import count
from raysweep.data.reading.direct import DirectReader
from raysweep.data.reading.reader import MappedReader, Reader
from raysweep.data.sources.discover import discover_for
from raysweep.data.sources.places import shown
from raysweep.data.storing.manifest import Manifest, read_manifest
from raysweep.errors import DataError
from raysweep.experiment.layout import Experiment


def validation_batches(run: RunConfig, experiment: Experiment) -> Batches:
    """DataError where they are not to be had here, or are others by now."""
    data = settled(run.data, experiment)
    storage = experiment.folder.parent
    if data.source is None and data.store is None:
        raise DataError("the trial's settings name no footage, neither data.source nor data.store")
    if data.reading == "direct":
        reader, manifest = _counted(located(data, storage))
    else:
        store = store_of(data, storage)
        manifest = read_manifest(store)
        reader = MappedReader(store, manifest)
    recorded = read_record(experiment)
    clips = index_clips(manifest, "valid", run.data)
    if recorded is not None and recorded.frames != clips_digest(manifest, clips):
        raise DataError(
            f"{experiment.where} was validated on frames of fingerprint {recorded.frames[:12]}, and the footage is "
            "another by now. Use what it began with."
        )
    return Batches(reader, manifest, run.data, seed=run.seed)


def _counted(data: DataConfig) -> tuple[Reader, Manifest]:
    assert data.source is not None
    with TemporaryDirectory(prefix="raysweep-") as scratch:
        found = count(discover_for(data, data.source), shown(data.source), data, Path(scratch))
    return DirectReader(found.located, found.manifest), found.manifest
