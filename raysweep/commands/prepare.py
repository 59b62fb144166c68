"""Decoding footage into a store, apart from any sweep."""

from pathlib import Path

from raysweep.cluster.runtime import connected
from raysweep.commands.footage import check_footage, prepared
from raysweep.commands.plan import Request, compose


def prepare(request: Request) -> None:
    sweep = compose(request, None, None)
    data = sweep.run().data
    storage = Path(sweep.storage)
    check_footage(data, storage)
    with connected():
        prepared(data, storage)
