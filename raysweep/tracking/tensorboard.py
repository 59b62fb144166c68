"""TensorBoard event files, written by tensorboardX: no TensorFlow and no viewer needed here."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from raysweep.schema import flatten
from raysweep.tracking.base import Picture, Tracker


class TensorBoard(Tracker):
    """`<folder>` is what `tensorboard --logdir` opens, or any folder above it."""

    def __init__(self, folder: Path, resume_step: int | None, settings: Mapping[str, Any]) -> None:
        """`settings`: the trial's, for the viewer's page HParams."""
        first_step = 0 if resume_step is None else resume_step + 1
        # The viewer hides what earlier files in the folder hold from this step on.
        # Names hold whole seconds and are read in their order: the suffix tells apart, and orders, the files
        # of a run that fails and is back at once.
        self._writer = SummaryWriter(
            str(folder), purge_step=first_step, filename_suffix=f".{time.time_ns()}"
        )
        self._writer.file_writer.add_summary(_session(settings))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self._writer.add_image(name, picture_HWC, step, dataformats="HWC")

    def note(self, step: int, text: str) -> None:
        """Holds no text."""

    def close(self) -> None:
        self._writer.close()


def _session(settings: Mapping[str, Any]) -> Any:
    """The summary that makes the run a session of the page HParams, with its scalars as the metrics.

    An experiment's summary is left out: where none is found, the page makes it of all the runs that it sees, as a
    sweep wants it. `SummaryWriter.add_hparams` would write one, and put both into a run of their own.
    """
    _, session, _ = hparams({path: _shown(value) for path, value in flatten(settings).items()}, {})
    return session


def _shown(value: object) -> object:
    """Lists as text; None is left out by tensorboardX."""
    return json.dumps(value) if isinstance(value, list | tuple) else value
