"""How a trial's losses fell in training, out of its `metrics.jsonl`: as many points as a chart shows."""

import json
from pathlib import Path
from typing import Any, NamedTuple

MOST_POINTS = 100
TRAINED = b'"train/'
"""In each line of a training step."""
LOSS = "_loss"
"""How the names end of what is shown: `train/total_loss`."""


class TrainingCurves(NamedTuple):
    steps: list[int]
    values: dict[str, list[float | None]]
    """By metric, one for each step; None: not a number, or not there."""


def training_curves(file: Path) -> TrainingCurves:
    """Empty where the file is not there, as in the mirror of an experiment on an object store."""
    lines = _thinned(_lines(file))
    names = dict.fromkeys(name for line in lines for name in line if name.endswith(LOSS))
    steps = [line["step"] for line in lines]
    return TrainingCurves(steps, {name: [line.get(name) for line in lines] for name in names})


def _lines(file: Path) -> list[bytes]:
    """Whole ones."""
    if not file.exists():
        return []
    *whole, _torn = file.read_bytes().split(b"\n")
    return [line for line in whole if TRAINED in line]


def _thinned(lines: list[bytes]) -> list[dict[str, Any]]:
    """Evenly, the last one among them; only those are parsed."""
    every = -(-len(lines) // MOST_POINTS) or 1
    return [json.loads(line) for line in lines[::-1][::every][::-1]]
