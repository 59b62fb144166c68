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


def mark(file: Path) -> None:
    if not file.exists():
        file.write_text(str(time.time()))


def courses(added: list[float], marks: Path, last_reports: list[float]) -> list[Course]:
    first_steps = sorted(float(file.read_text()) for file in marks.iterdir())
    return [Course(*each) for each in zip(added, first_steps, last_reports, strict=True)]
