"""Decoding footage into a store, apart from any sweep."""

from pathlib import Path

from raysweep.cluster.runtime import connected
from raysweep.commands import store_report
from raysweep.commands.estimate import print_estimate
from raysweep.commands.footage import check_footage, prepared, store_of
from raysweep.commands.plan import Request, compose
from raysweep.commands.preview import check_preview, write_preview
from raysweep.config import RunConfig
from raysweep.data import DataConfig
from raysweep.data.storing.manifest import read_manifest
from raysweep.errors import DataError
from raysweep.experiment.mirror import located


def prepare(request: Request, *, update: bool, preview: str | None) -> None:
    """`preview`: where to draw what the model will see; None: nowhere."""
    run, storage = _asked(request)
    _require_source(run.data)
    if preview is not None:
        check_preview(preview)
    check_footage(run.data, storage, update=update)
    with connected():
        store = prepared(run.data, storage, update=update)
    if preview is not None:
        write_preview(store, run.data, run.seed, preview)


def estimate(request: Request) -> None:
    """What preparing would read and make; starts nothing."""
    run, storage = _asked(request)
    _require_source(run.data)
    check_footage(run.data, storage, update=True)
    print_estimate(run.data, store_of(run.data, storage))


def verify(request: Request) -> None:
    run, storage = _asked(request)
    if run.data.store is None:
        _require_source(run.data)
    store = store_of(run.data, storage)
    store_report.verify(store, read_manifest(store))


def _require_source(data: DataConfig) -> None:
    if data.source is None:
        raise DataError(
            "prepare decodes data.source, and it is not set. Give --data FOLDER, or --data demo for "
            "generated videos."
        )


def _asked(request: Request) -> tuple[RunConfig, Path]:
    sweep = compose(request, None, None)
    experiment = located(sweep.storage, sweep.name)  # where its sweep would look for the store
    return sweep.run(), experiment.folder.parent
