"""How long each trial was at work, as the event log tells."""

from collections.abc import Iterable

from raysweep.experiment.events import Event

RESTS = ("paused", "suspended", "ended")
"""Kinds of events with which a trial ceases to run."""


def running_seconds(events: Iterable[Event]) -> dict[str, float]:
    """By trial that has started; rests do not count. One that runs has run up to the last event."""
    seconds: dict[str, float] = {}
    since: dict[str, float] = {}
    now = 0.0
    for event in events:
        trial = event["trial"]
        if event["kind"] == "restarted":  # written for the next driver, which opens after it
            continue
        if (
            event["kind"] == "opened"
        ):  # what the driver before left running ran up to its last event
            _stop(since, seconds, now, list(since))
        now = event["time"]
        if event["kind"] == "started":
            since.setdefault(trial, now)
        elif event["kind"] in RESTS:
            _stop(since, seconds, now, [trial])
    _stop(since, seconds, now, list(since))
    return seconds


def _stop(
    since: dict[str, float], seconds: dict[str, float], now: float, trials: Iterable[str]
) -> None:
    for trial in trials:
        if trial in since:
            seconds[trial] = seconds.get(trial, 0.0) + max(0.0, now - since.pop(trial))
