"""How far something of many frames is: a bar in a terminal, a line now and then elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn

from raysweep.commands.console import console, say

SECONDS = 30.0
"""Between lines."""

Advance = Callable[[int], None]
"""Told how many frames more are done."""


@contextmanager
def advancing(title: str, frames: int | None = None) -> Iterator[Advance]:
    """`frames`: of all; None: nobody knows."""
    if not console.is_terminal:
        yield _Lines(title, frames)
        return
    text = TextColumn("{task.description}", markup=False)
    with Progress(BarColumn(30), text, console=console, transient=True) as bar:
        count = _Count(title, frames)
        task = bar.add_task(count.line(), total=frames)

        def advance(more: int) -> None:
            count.add(more)
            bar.update(task, advance=more, description=count.line())

        yield advance


class _Count:
    def __init__(self, title: str, frames: int | None) -> None:
        self._title, self._of, self._done, self._since = title, frames, 0, monotonic()

    def add(self, frames: int) -> None:
        self._done += frames

    def line(self) -> str:
        speed = self._done / max(monotonic() - self._since, 1e-9)
        of = "" if self._of is None else f" of {self._of:,}"
        return f"{self._title}: {self._done:,}{of} frames, {speed:,.{int(speed < 10)}f} a second"


class _Lines:
    def __init__(self, title: str, frames: int | None) -> None:
        self._count, self._said = _Count(title, frames), monotonic()

    def __call__(self, frames: int) -> None:
        self._count.add(frames)
        if monotonic() - self._said > SECONDS:
            say(f"  {self._count.line()}")
            self._said = monotonic()
