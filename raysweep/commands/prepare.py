"""Decoding footage into a store, apart from any sweep."""

from pathlib import Path

from raysweep.cluster.runtime import connected
from raysweep.commands.footage import check_footage, prepared
from raysweep.commands.plan import Request, compose
from raysweep.commands.preview import check_preview, write_preview


def prepare(request: Request, preview: str | None) -> None:
    """`preview`: where to draw what the model will see; None: nowhere."""
    sweep = compose(request, None, None)
    data = sweep.run().data
    storage = Path(sweep.storage)
    if preview is not None:
        check_preview(preview)
    check_footage(data, storage)
    with connected():
        store = prepared(data, storage)
    if preview is not None:
        write_preview(store, data, sweep.run().seed, preview)
