"""The event log: what happened, in order, appended and flushed before it takes effect.

One JSON object a line. A torn last line (the writer was killed) is dropped on reading and cut off
before the next append.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""`kind` (proposed, started, report, decision, ended), `trial`, `time` in seconds since the epoch, and more."""


class EventLog:
    """The driver's alone: one writer, any number of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = sum(len(line) for line in _whole_lines(path))
        self._file = path.open("ab")
        self._file.truncate(whole)

    def append(self, kind: str, trial: str, **details: Any) -> Event:
        event: Event = {"kind": kind, "trial": trial, "time": round(time.time(), 3), **details}
        self._file.write(json.dumps(event).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        return event

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Event]:
    for line in _whole_lines(path):
        yield json.loads(line)


def _whole_lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
