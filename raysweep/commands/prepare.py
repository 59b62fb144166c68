"""Decoding footage into a store, apart from any sweep."""

from pathlib import Path

from raysweep.cluster.runtime import connected
from raysweep.commands import store_report
from raysweep.commands.estimate import print_estimate
from raysweep.commands.footage import check_footage, prepared, store_of
from raysweep.commands.plan import Request, compose
from raysweep.data.manifest import read_manifest


def prepare(request: Request, *, update: bool) -> None:
    sweep = compose(request, None, None)
    data, storage = sweep.run().data, Path(sweep.storage)
    check_footage(data, storage, update=update)
    with connected():
        prepared(data, storage, update=update)


def estimate(request: Request) -> None:
    """What preparing would read and make; starts nothing."""
    sweep = compose(request, None, None)
    data, storage = sweep.run().data, Path(sweep.storage)
    check_footage(data, storage, update=True)
    print_estimate(data, store_of(data, storage))


def verify(request: Request) -> None:
    sweep = compose(request, None, None)
    store = store_of(sweep.run().data, Path(sweep.storage))
    store_report.verify(store, read_manifest(store))
