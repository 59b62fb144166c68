"""TensorBoard event files, written by tensorboardX: no TensorFlow and no viewer needed here."""

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

from raysweep.tracking.base import Picture, Tracker


class TensorBoard(Tracker):
    """`<folder>` is what `tensorboard --logdir` opens, or any folder above it."""

    def __init__(self, folder: Path, resume_step: int | None) -> None:
        first_step = 0 if resume_step is None else resume_step + 1
        # The viewer hides what earlier files in the folder hold from this step on.
        # Names hold whole seconds and are read in their order: the suffix tells apart, and orders, the files
        # of a run that fails and is back at once.
        self._writer = SummaryWriter(
            str(folder), purge_step=first_step, filename_suffix=f".{time.time_ns()}"
        )

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
