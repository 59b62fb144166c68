"""How the drivers of an experiment ended, as its event log tells."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from raysweep.experiment.events import Event

FRUITLESS_RESTARTS = 3
"""In a row, after which a supervisor gives up."""
PROGRESS = ("report", "tested", "ended")
"""Kinds of events that a search is nearer its end with."""


class Ended(NamedTuple):
    """What is seen of a driver's end from outside."""

    code: int
    """Exit code; 128 and a signal's number where that killed it."""
    is_stopped: bool = False
    """Whether a person asked for it."""


def ended_by_itself(events: Iterable[Event]) -> bool:
    """Whether the last driver came to an end, rather than died."""
    kinds = deque((event["kind"] for event in events), maxlen=1)
    return list(kinds) == ["closed"]


def is_paused(events: Iterable[Event]) -> bool:
    """Whether a person paused the whole, and no driver has gone on since."""
    about = ("suspended", "continued", "opened")
    of_all = (event["kind"] for event in events if not event["trial"] and event["kind"] in about)
    return list(deque(of_all, maxlen=1)) == ["suspended"]


def fruitless_restarts(events: Iterable[Event]) -> int:
    """How often a driver was started again since the last progress."""
    count = 0
    for event in events:
        if event["kind"] == "restarted":
            count += 1
        elif event["kind"] in PROGRESS:
            count = 0
    return count
