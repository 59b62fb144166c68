"""A driver at work: its event log and, on an object store, its claim and the requests that come in."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from raysweep.errors import RaysweepError
from raysweep.experiment.bucket import Bucket
from raysweep.experiment.claim import STALE_SECONDS, Claim
from raysweep.experiment.events import EventLog
from raysweep.experiment.layout import Experiment
from raysweep.experiment.requests import withdraw_pauses
from raysweep.experiment.segments import Segments

BEAT_SECONDS = 5.0
"""Between looks for requests; at every third the driver says that it is there, and what was reported."""
BEATS = 3


@contextmanager
def driving(experiment: Experiment, *, is_to_run: bool = False) -> Iterator[EventLog]:
    """The log to write to, as it stands on the object store where there is one.

    `is_to_run`: a pause that no driver has taken is withdrawn. ExperimentError while another driver is at work.
    """
    if experiment.remote is None:
        with EventLog(experiment.events) as log:
            if is_to_run:
                withdraw_pauses(experiment.requests)
            yield log
        return
    driver = _Driver(experiment, Bucket(experiment.remote, is_patient=True))
    with driver.at_work(is_to_run=is_to_run) as log:
        yield log


class _Driver:
    def __init__(self, experiment: Experiment, bucket: Bucket) -> None:
        self.experiment, self._bucket = experiment, bucket
        self._claim = Claim(bucket)
        self._segments = Segments(bucket, experiment.events)
        self._heard = 0.0
        """When it last said that it is there, in seconds of a clock that never goes back."""
        self._failure: RaysweepError | None = None
        self._fetched: set[str] = set()

    @contextmanager
    def at_work(self, *, is_to_run: bool) -> Iterator[EventLog]:
        self._claim.take()
        self._heard = time.monotonic()
        try:
            self._segments.pull()
            if is_to_run:
                self._withdraw_pauses()
            with EventLog(self.experiment.events, keep=self._push) as log, self._beating(log):
                try:
                    yield log
                finally:
                    log.share()
        finally:
            if self._failure is None:
                self._claim.release()

    def _withdraw_pauses(self) -> None:
        held = self._bucket.held(self.experiment.requests.name)
        self._bucket.download({name: self._here(name) for name in held})
        gone = withdraw_pauses(self.experiment.requests)
        self._bucket.delete(f"{path.parent.name}/{path.name}" for path in gone)

    def _push(self, lines: bytes) -> None:
        """Only while the claim cannot be anybody else's; after a failure no more."""
        if self._failure is not None:
            raise self._failure
        try:
            if time.monotonic() - self._heard > STALE_SECONDS / 2:
                self._renew()
            self._segments.push(lines)
        except RaysweepError as error:
            self._failure = error
            raise

    def _renew(self) -> None:
        self._claim.renew()
        self._heard = time.monotonic()

    @contextmanager
    def _beating(self, log: EventLog) -> Iterator[None]:
        is_over = Event()
        thread = Thread(target=self._beat, args=(log, is_over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _beat(self, log: EventLog, is_over: Event) -> None:
        """What goes wrong here is raised by the next event that is to be kept."""
        beats = 0
        try:
            while not is_over.wait(BEAT_SECONDS):
                self._take_requests()
                beats += 1
                if beats % BEATS == 0:
                    self._renew()
                    log.share()
        except RaysweepError as error:
            self._failure = error

    def _take_requests(self) -> None:
        """Brings new ones here; those that the conductor has taken from here have become events."""
        folder = self.experiment.requests
        held = self._bucket.held(folder.name)
        taken = [name for name in self._fetched if not self._here(name).exists()]
        self._bucket.delete(name for name in taken if name in held)
        new = {name: self._here(name) for name in held if name not in self._fetched}
        self._bucket.download(new)
        self._fetched |= new.keys()

    def _here(self, name: str) -> Path:
        return self.experiment.folder / name
