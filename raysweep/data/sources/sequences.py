"""Numbered images that are the frames of one video: `dog/0001.png`, `dog/0002.png`, ...

As DAVIS, frames of UCF-101 and of Something-Something lie: a folder a video. Images of one folder whose names
differ in their last number alone are one sequence, in the order of the numbers, and a folder with `img_1.jpg`
and `flow_x_1.jpg` holds two. Numbers that are missing are passed over.
"""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)
"""Before the last number, the number, after it; of a name without its suffix."""


class Numbered(NamedTuple):
    """The name of one frame, taken apart."""

    sequence: tuple[str, str]
    """Its folder, and its name with a `*` for the number."""
    number: int


def numbered(name: str) -> Numbered | None:
    """None where the name holds no number."""
    folder, file = posixpath.split(name)
    stem, suffix = posixpath.splitext(file)
    parts = _NUMBERED.fullmatch(stem)
    if parts is None:
        return None
    head, number, tail = parts.groups()
    return Numbered((folder, f"{head}*{tail}{suffix.lower()}"), int(number))


def sequences(names: Iterable[str]) -> dict[str, list[str]]:
    """Name of a sequence -> its frames in order; what is not of a sequence, of two images at least, is left out.

    A sequence is called after its folder, or after its folder and pattern, `dog/left_*.png`, where
    several share a folder and where the folder is the root.
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for name in names:
        if parts := numbered(name):
            groups[parts.sequence].append((parts.number, name))
    kept = {key: sorted(frames) for key, frames in groups.items() if len(frames) > 1}
    in_folder = Counter(folder for folder, _ in kept)
    return {
        folder if folder and in_folder[folder] == 1 else posixpath.join(folder, pattern): [
            name for _, name in frames
        ]
        for (folder, pattern), frames in kept.items()
    }


def missing_numbers(names: Sequence[str]) -> int:
    """How many a sequence lacks between its first and its last, counted in its smallest step: frames that
    were saved by fives lack none."""
    numbers = [parts.number for name in names if (parts := numbered(name))]
    steps = [after - before for before, after in pairwise(numbers) if after > before]
    return sum(step // min(steps) - 1 for step in steps)
