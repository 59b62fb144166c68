"""Footage that tells when its first frames are read.

Each process of a trial imports this module: it must not cost what the trial itself would do without.
"""

import time
from pathlib import Path
from typing import Any

from raysweep.cluster.footage import Footage
from raysweep.data.decoding.decode import Frames
from raysweep.data.reading.reader import Reader
from raysweep.data.storing.manifest import Manifest
from starting.course import mark


class Marking:
    """A reader that leaves the time of its first reading in a file."""

    def __init__(self, reader: Reader, file: Path) -> None:
        self.reader, self.file = reader, file

    def read_batch(self, clips: Any, views: Any = None) -> Frames:
        mark(self.file)
        return self.reader.read_batch(clips, views)


def marking(footage: Footage, folder: Path) -> Footage:
    """Each process that opens it leaves a file."""

    def opened(manifest: Manifest) -> Reader:
        return Marking(footage.opened_by(manifest), folder / str(time.time_ns()))

    return Footage(footage.manifest, opened)
