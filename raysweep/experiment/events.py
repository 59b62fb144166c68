"""The event log: what happened, in order, appended and flushed before it takes effect.

One JSON object a line. A torn last line (the writer was killed) is dropped on reading and cut off
before the next append.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any, Self

from raysweep.errors import ExperimentError
from raysweep.full_disk import told_when_full

Event = dict[str, Any]
"""`kind`, `trial`, `time` in seconds since the epoch, and more.

Of one trial: proposed, started, report, stop (a person asks), paused, promoted, suspended (it rests, as nothing
decided about it), tested (on the test split), ended, retried (it failed, and is to go on).
Of the whole search, with a `trial` that is empty: opened (a driver begins), closed (it ended by itself, finished or
interrupted; one that died says nothing), restarted (one goes on for one that died), known (what another experiment
found), extended, exhausted (the space has no more settings), and suspended and continued (a person pauses the whole).
"""
TOLD = ("started", "report")
"""Kinds that decide nothing: a killed driver has written them, and the next decision takes them to the disk too."""


class EventLog:
    """The driver's alone: one writer, any number of readers.

    Raises ExperimentError while another process has it open for writing, StorageError where the disk is full.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] | None = None,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        """`clock`: seconds since the epoch, None: a steady one; `keep`: puts lines where they are kept besides, for which a decision waits, too."""
        self.path, self._clock, self._keep = path, clock or steady_clock(), keep
        self._unkept = b""
        self._one_at_a_time = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise ExperimentError(
                f"an experiment has one driver at a time, and another process is writing {path}. "
                "Wait for it or end it, then resume."
            ) from None
        except OSError:  # some shared file systems know no locks
            pass
        self._bytes = sum(len(line) for line in whole_lines(path))
        self._file.truncate(self._bytes)

    def append(self, kind: str, trial: str, **details: Any) -> Event:
        event: Event = {"kind": kind, "trial": trial, "time": round(self._clock(), 3), **details}
        line = json.dumps(event).encode() + b"\n"
        with told_when_full(self.path), self._one_at_a_time:
            self._write(line)
            if self._keep is not None:
                self._unkept += line
            if kind not in TOLD:
                os.fsync(self._file.fileno())
        if kind not in TOLD:
            self.share()
        return event

    def share(self) -> None:
        """Also keeps elsewhere what is not there yet; any thread may ask for it."""
        if self._keep is None:
            return
        with self._one_at_a_time:
            if self._unkept:
                self._keep(self._unkept)
                self._unkept = b""

    def close(self) -> None:
        self._file.close()

    def _write(self, line: bytes) -> None:
        """All of it or, where the disk is full, nothing."""
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError:
            self._file.truncate(self._bytes)
            raise
        self._bytes += len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def steady_clock() -> Callable[[], float]:
    """Seconds since the epoch, counted on from now: whoever sets this machine's clock changes no budget of hours."""
    begun, since = time.time(), time.monotonic()
    return lambda: begun + time.monotonic() - since


def read(path: Path) -> Iterator[Event]:
    for line in whole_lines(path):
        yield json.loads(line)


def has_writer(path: Path) -> bool:
    """Whether a driver is at work; never where the file system knows no locks."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


def whole_lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
