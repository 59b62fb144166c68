"""One driver at a time on an object store, which knows no locks: `drivers/<host>.<process>.<token>`.

Each driver writes an object of its own, again and again, and works while no other one's is fresh. Ages are differences
of the store's own times, so clocks may be wrong. Two that begin at the same moment see each other, and both refuse.
A driver that could not write for longer than STALE_SECONDS and finds its object taken away ends itself; until it
looks, for half of that time, two may be at work.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname
from uuid import uuid4

from raysweep.errors import ExperimentError
from raysweep.experiment.bucket import Bucket, Held

FOLDER = "drivers"
STALE_SECONDS = 60.0
"""After which a driver that does not write counts as gone."""


class Claim:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._name = f"{FOLDER}/{gethostname()}.{os.getpid()}.{uuid4().hex[:8]}"

    def take(self) -> None:
        """ExperimentError while another driver is at work."""
        self._bucket.write(self._name, b"")
        held = self._bucket.held(FOLDER)
        now = held.pop(self._name).written
        fresh = [name for name in held if _is_fresh(name, held[name], now)]
        if fresh:
            self.release()
            host, process = _who(fresh[0])
            raise ExperimentError(
                f"an experiment has one driver at a time, and process {process} on {host} drives {self._bucket.address}. "
                f"Wait for it or end it, then resume; one that was killed counts as gone after {STALE_SECONDS:g} s."
            )
        self._bucket.delete(held)

    def renew(self) -> None:
        """ExperimentError where another driver took this one for gone."""
        if self._name not in self._bucket.held(FOLDER):
            raise ExperimentError(
                f"an experiment has one driver at a time, and another has taken over {self._bucket.address}, since this "
                f"one could not be heard for {STALE_SECONDS:g} s. Nothing is lost: leave it to the other."
            )
        self._bucket.write(self._name, b"")

    def release(self) -> None:
        self._bucket.delete([self._name])


def is_claimed(bucket: Bucket) -> bool:
    """Whether a driver is at work, as far as this machine's clock is right."""
    now = datetime.now(UTC)
    return any(_is_fresh(name, held, now) for name, held in bucket.held(FOLDER).items())


def _is_fresh(name: str, held: Held, now: datetime) -> bool:
    host, process = _who(name)
    is_gone = host == gethostname() and not Path(f"/proc/{process}").exists()
    return not is_gone and (now - held.written).total_seconds() < STALE_SECONDS


def _who(name: str) -> tuple[str, str]:
    """Host and process."""
    host, process, _ = name.removeprefix(f"{FOLDER}/").rsplit(".", 2)
    return host, process
