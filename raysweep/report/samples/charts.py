"""How codes are used, as drawings of a few hundred bytes: SVG paths in a box of WIDTH x HEIGHT."""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from math import log1p, log2
from typing import NamedTuple

WIDTH, HEIGHT = 320, 120
"""Of what is drawn, without its axes; the unit is the page's to choose."""
BARS = 80
"""At most; with more codes than that, each bar is the mean of neighbours in rank."""
DOTS = 60
"""Validations that are drawn as dots, at most; of more only the line, and what is below the bound."""


class Histogram(NamedTuple):
    """Codes from the most to the least used, as bars of logarithmic height."""

    path: str
    used_width: float
    """Of the part of the axis where codes occur."""


class Point(NamedTuple):
    x: float
    y: float
    is_low: bool
    """Whether the share is below the bound."""


class Course(NamedTuple):
    """The share of codes in use, by step."""

    path: str
    points: Sequence[Point]
    bound_y: float
    """Height of the bound under which a codebook counts as collapsed."""
    last_step: int
    collapsed: Sequence[tuple[int, int]]
    """First and last step of each time that validations in a row were below it, as many as it takes."""


def histogram(counts: Sequence[int], codes: int) -> Histogram:
    """`counts`: of codes that occur, highest first, out of so many `codes`."""
    every = [*counts, *[0] * (codes - len(counts))]
    bars = min(BARS, codes)
    edges = [bar * codes // bars for bar in range(bars + 1)]
    means = [sum(every[start:end]) / (end - start) for start, end in pairwise(edges)]
    tallest, width = log1p(max(means)) or 1.0, WIDTH / bars
    steps = [
        f"V{_short(HEIGHT * (1 - log1p(mean) / tallest))}H{_short(width * (bar + 1))}"
        for bar, mean in enumerate(means)
    ]
    return Histogram(f"M0 {HEIGHT}{''.join(steps)}V{HEIGHT}Z", WIDTH * len(counts) / codes)


def perplexity(counts: Sequence[int]) -> float:
    """2^entropy: the number of codes that would do if all were used alike."""
    total = sum(counts)
    return 2 ** sum(-count / total * log2(count / total) for count in counts)


def usage_of(reports: Mapping[int, Mapping[str, float]], at: int, maps: int) -> dict[int, float]:
    """Step -> share of the codes of map `at` (of so many `maps`) that the whole validation set used."""
    name = f"val/code_usage/level{at}" if maps > 1 else "val/code_usage"
    return {step: reports[step][name] for step in sorted(reports) if name in reports[step]}


def course(usage: Mapping[int, float], bound: float, validations: int) -> Course:
    """`validations` in a row below the `bound` are a collapse."""
    last = max(usage, default=0)
    points = [
        Point(WIDTH * step / max(1, last), HEIGHT * (1 - share), share < bound)
        for step, share in usage.items()
    ]
    path = "L".join(f"{_short(point.x)} {_short(point.y)}" for point in points)
    shown = [point for point in points if point.is_low or len(points) <= DOTS]
    low = _runs(usage, bound, validations)
    return Course(f"M{path}" if points else "", shown, HEIGHT * (1 - bound), last, low)


def _runs(usage: Mapping[int, float], bound: float, validations: int) -> list[tuple[int, int]]:
    runs = [
        [step for step, _ in run]
        for is_low, run in groupby(usage.items(), key=lambda item: item[1] < bound)
        if is_low
    ]
    return [(steps[0], steps[-1]) for steps in runs if len(steps) >= validations]


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
