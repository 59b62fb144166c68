"""Frames at a steady rate, from frames that are shown at any times."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

LONGEST_SECONDS = 60.0
"""That one frame is shown for; beyond it the clock has jumped, as where recordings were joined."""


class Timed(NamedTuple, Generic[T]):
    """A frame and when it is shown."""

    seconds: float
    frame: T


def resample(frames: Iterable[Timed[T]], fps: float | None) -> Iterator[T]:
    """Output k is the frame whose time is nearest to k / fps seconds after the first one's, the earlier of
    two as near; frames are dropped and repeated. None: each frame once.

    The nearest, and not the last that has begun: containers round times to milliseconds, and film at its own
    rate must come out as it is. The last frame is shown for as long as the one before it. Times must rise.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if fps is None or first is None:
        yield from (timed.frame for timed in ([first] if first else []))
        yield from (timed.frame for timed in iterator)
        return
    due = (first.seconds + k / fps for k in count())
    moment, before, lasts = next(due), first, 1 / fps
    for timed in iterator:
        lasts = timed.seconds - before.seconds
        while moment <= before.seconds + lasts / 2:
            yield before.frame
            moment = next(due)
        before = timed
    end = before.seconds + lasts - min(lasts, 1 / fps) / 2
    while moment < end:
        yield before.frame
        moment = next(due)


def rising(before: float, claimed: float, period: float) -> float:
    """When the next frame is shown: as claimed, or one usual `period` later where that cannot be."""
    believable = before < claimed <= before + LONGEST_SECONDS
    return claimed if believable else before + period
