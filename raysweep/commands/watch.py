"""An experiment as it goes: a table that is drawn anew in a terminal, a line per event elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from rich.console import Group
from rich.live import Live
from rich.text import Text

from raysweep.commands.console import console
from raysweep.commands.narrator import Narrator
from raysweep.commands.standing import Standing, standing
from raysweep.commands.status import Cell, progress, status, table
from raysweep.experiment.events import Event, read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import is_driven, pull
from raysweep.experiment.outlook import Speed, trial_seconds_left, trial_speeds
from raysweep.experiment.records import Records, apply, prolong
from raysweep.experiment.results import Row
from raysweep.spelling import in_time

SECONDS, SECONDS_OF_A_STORE = 2.0, 15.0
"""From one look to the next; each look at an object store asks it for what is new."""
FRAME_LINES = 8
"""Of a terminal, that the table's title, headings and edges take, and a line that tells what is left out."""
LEAST_ROWS = 3

Pause = Callable[[], None]


def watch(experiment: Experiment, pause: Pause | None = None) -> None:
    """Until no driver is at work any more, or Ctrl-C; ends with what `status` says. `pause`: between two looks."""
    seconds = SECONDS if experiment.remote is None else SECONDS_OF_A_STORE
    follow = _draw if console.is_terminal else _tell
    with suppress(KeyboardInterrupt):
        follow(experiment, pause or partial(time.sleep, seconds))
    status(experiment)


def view(now: Standing, events: list[Event], clock: float, height: int) -> Group:
    """A frame for a terminal of `height` lines at the time `clock`, in seconds since the epoch."""
    told = [Text(line) for line in progress(now)]
    room = max(LEAST_ROWS, height - FRAME_LINES - len(told))
    rows = _chosen(now, room)
    more = len(now.trials) - len(rows)
    hidden = [Text(f"and {more:,} more, all in `raysweep status`")] if more else []
    columns: dict[str, Cell] = {
        "steps": partial(_steps, now.trials),
        "left": partial(_left, now.trials, trial_speeds(events), clock),
    }
    return Group(table(now, rows, columns), *hidden, *told)


def _looks(experiment: Experiment, pause: Pause) -> Iterator[Standing]:
    """Again and again; the last one is after the driver's last word."""
    while True:
        at_work = is_driven(experiment)
        pull(experiment)
        yield standing(experiment)
        if not at_work:
            return
        pause()


def _draw(experiment: Experiment, pause: Pause) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for now in _looks(experiment, pause):
            events = list(read(experiment.events))
            live.update(view(now, events, time.time(), console.height), refresh=True)


def _tell(experiment: Experiment, pause: Pause) -> None:
    """What happens from now on."""
    records: Records = {}
    heard = 0
    for number, now in enumerate(_looks(experiment, pause)):
        narrate = Narrator(now.objective)
        events = list(read(experiment.events))
        for event in events[heard:]:
            if event["kind"] == "extended":
                prolong(records, event)
            elif event["trial"]:
                record = apply(records, event)
                if number:
                    narrate(event, record)
        heard = len(events)


def _chosen(now: Standing, room: int) -> list[Row]:
    """Who runs or is to, and the best of the others as far as there is room; in the leaderboard's order."""
    ranked = now.leaderboard
    by_need = sorted(ranked, key=lambda row: not now.trials[row.trial].is_open)
    kept = {row.trial for row in by_need[:room]}
    return [row for row in ranked if row.trial in kept]


def _steps(trials: Records, row: Row) -> str:
    last = trials[row.trial].last_step
    return f"{row.steps:,} of {last:,}" if last else f"{row.steps:,}"


def _left(trials: Records, speeds: Mapping[str, Speed], clock: float, row: Row) -> str:
    """To the end of a trial that nothing stops."""
    if (so_far := speeds.get(row.trial)) is None:
        return ""
    left = trial_seconds_left(trials[row.trial], so_far)
    return "" if left is None else in_time(max(0, round(left - (clock - so_far.until))))
