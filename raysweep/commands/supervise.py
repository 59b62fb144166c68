"""Going on for drivers that die: a small process that outlives them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from raysweep.commands.console import say
from raysweep.errors import ExperimentError
from raysweep.experiment.claim import STALE_SECONDS
from raysweep.experiment.drivers import (
    FRUITLESS_RESTARTS,
    Ended,
    ended_by_itself,
    fruitless_restarts,
    is_paused,
)
from raysweep.experiment.driving import driving
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import is_driven

Run = Callable[[Sequence[str]], Ended]
"""Runs `raysweep` with these words, as a driver."""
SHORT_SECONDS, SHORT_LIVES = 60.0, 10
"""A driver that ended sooner came to nothing; after so many in a row a supervisor gives up."""
REST_SECONDS = 2.5
"""After the first of them; doubled with every further one."""
CLOCKS_APART_SECONDS = 5.0
DONE, WRONG = 0, 2
"""Exit codes after which there is nothing to go on with."""


def supervise(
    run: Run, words: Sequence[str], experiment: str, rest: Callable[[float], None] = time.sleep
) -> int:
    """Runs the command, and `resume` as long as drivers die; returns the exit code of the whole.

    Whether one died, and whether it is worth another, the next one reads in the experiment's event log. Those that
    end before they could, since the storage is away or full, are given time, and then up.
    """
    ended = run(words)
    if ended.code == WRONG:
        return WRONG
    short_lives = 0
    while not (ended.is_stopped or ended.code in (DONE, WRONG)) and short_lives < SHORT_LIVES:
        say(f"the driver ended with exit code {ended.code}: going on where it died")
        begun = time.monotonic()
        ended = run(["resume", experiment, "--if-died"])
        is_short = time.monotonic() - begun < SHORT_SECONDS
        short_lives = short_lives + 1 if is_short else 0
        rest(min(REST_SECONDS * 2**short_lives, SHORT_SECONDS) if short_lives else 0)
    return 1 if ended.code == WRONG else ended.code


def in_a_process(words: Sequence[str]) -> Ended:
    """A driver on this machine; Ctrl-C reaches it by itself, and SIGTERM is handed on."""
    asked: list[int] = []
    process = subprocess.Popen([sys.executable, "-P", "-m", "raysweep", *words])

    def hand_on(number: int, frame: Any) -> None:
        asked.append(number)
        if number == signal.SIGTERM:
            process.terminate()

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return Ended(code if code >= 0 else 128 - code, is_stopped=bool(asked))


def note_restart(experiment: Experiment) -> None:
    """Writes down that a driver goes on for one that died; ExperimentError where that is not what happened.

    On an object store it takes a while until a driver of another machine counts as gone, by the store's clock.
    """
    until = time.monotonic() + (2 * STALE_SECONDS if experiment.remote else 0)
    while is_driven(experiment) and time.monotonic() < until:
        time.sleep(1)
    if experiment.remote:
        time.sleep(CLOCKS_APART_SECONDS)
    with driving(experiment) as log:
        events = list(read(experiment.events))
        if ended_by_itself(events):
            raise ExperimentError(
                f"a supervisor goes on for drivers that died, and that of {experiment.where} ended by itself. "
                f"Go on with `raysweep resume {experiment.as_word}`."
            )
        if is_paused(events):
            raise ExperimentError(
                f"a supervisor goes on with what nobody has paused, and {experiment.where} is paused. "
                f"Go on with `raysweep unpause {experiment.as_word}`."
            )
        if fruitless_restarts(events) >= FRUITLESS_RESTARTS:
            raise ExperimentError(
                f"a supervisor goes on as long as that brings something, and {FRUITLESS_RESTARTS} drivers in a row "
                f"died before any trial reported. See why, then `raysweep resume {experiment.as_word}`."
            )
        log.append("restarted", "")
