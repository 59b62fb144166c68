"""How far a prepare is: a bar in a terminal, a line now and then elsewhere."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn

from raysweep.commands.console import console, say
from raysweep.data.storing.store import Done

TENTHS = 10
"""Lines on the whole way, where nothing takes long."""
SECONDS = 30.0
"""Between lines, where it does."""
WINDOW = 60.0
"""Seconds that a speed is the mean of."""


class Pace:
    """Sums up what is done, and how fast that is going."""

    def __init__(self, now: float) -> None:
        """`now`: seconds of a clock that never goes back, here and below."""
        self.frames = 0
        self.bad = 0
        self.kept = 0
        self._seen = deque([(now, 0, 0)])

    def add(self, done: Done, now: float) -> None:
        self.kept += done.is_kept
        self.frames += 0 if done.is_kept else done.record.frames
        self.bad += len(done.record.skipped)
        self._seen.append((now, self.frames, done.source_bytes))
        while len(self._seen) > 2 and self._seen[1][0] < now - WINDOW:
            self._seen.popleft()

    def line(self, done: Done) -> str:
        (start, frames_then, bytes_then), (now, frames, size) = self._seen[0], self._seen[-1]
        seconds = max(now - start, 1e-9)
        left = (done.of_source_bytes - size) * seconds / max(size - bytes_then, 1)
        return (
            f"{done.files:,} of {done.of_files:,} files, {frames:,} frames, "
            f"{(frames - frames_then) / seconds:,.0f} frames/s, {timedelta(seconds=round(left))} left"
            + (f", {self.kept:,} kept" if self.kept else "")
            + (f", {self.bad:,} bad" if self.bad else "")
        )


@contextmanager
def shown() -> Iterator[Callable[[Done], None]]:
    """What to call with every source that is done."""
    pace = Pace(monotonic())
    if not console.is_terminal:
        yield _Lines(pace)
        return
    text = TextColumn("{task.description}", markup=False)
    with Progress(BarColumn(30), text, console=console, transient=True) as bar:
        task = bar.add_task("finding footage", total=None)

        def show(done: Done) -> None:
            pace.add(done, monotonic())
            share = done.source_bytes / max(done.of_source_bytes, 1)
            bar.update(task, total=1, completed=share, description=pace.line(done))

        yield show


class _Lines:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._tenth = 0
        self._said = monotonic()

    def __call__(self, done: Done) -> None:
        now = monotonic()
        self._pace.add(done, now)
        tenth = TENTHS * done.files // done.of_files
        if tenth > self._tenth or now - self._said > SECONDS:
            say(f"  {self._pace.line(done)}")
            self._tenth, self._said = tenth, now
