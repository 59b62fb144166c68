"""When a trial was added, took its first step and reported last; and what that costs."""

import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple


class Course(NamedTuple):
    """Of one trial, in seconds since the epoch."""

    added: float
    first_step: float
    last_report: float


class Cost(NamedTuple):
    """Of trials that ran one after another."""

    start: float
    """Median seconds from a trial's start to its first step, of all but the first trial."""
    turn: float
    """Median seconds from a trial's last report to the first step of the next."""
    wall: float
    """Seconds from the first trial's start to the last report."""


def cost(courses: Sequence[Course]) -> Cost:
    turns = [after.first_step - one.last_report for one, after in pairwise(courses)]
    return Cost(
        statistics.median(one.first_step - one.added for one in courses[1:]),
        statistics.median(turns),
        courses[-1].last_report - courses[0].added,
    )


def typical(costs: Sequence[Cost]) -> Cost:
    """The median of each."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def ratios(mine: Sequence[Cost], theirs: Sequence[Cost]) -> Cost:
    """The median of those of each two that ran beside one another."""
    return typical(
        [
            Cost(one.start / other.start, one.turn / other.turn, one.wall / other.wall)
            for one, other in zip(mine, theirs, strict=True)
        ]
    )


def mark(file: Path) -> None:
    if not file.exists():
        file.write_text(str(time.time()))


def courses(added: list[float], marks: Path, last_reports: list[float]) -> list[Course]:
    first_steps = sorted(float(file.read_text()) for file in marks.iterdir())
    return [Course(*each) for each in zip(added, first_steps, last_reports, strict=True)]
