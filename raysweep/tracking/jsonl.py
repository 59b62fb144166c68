"""`metrics.jsonl`: every report as one line of JSON, the machine-readable log that is always there."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from raysweep.tracking.base import Picture, Tracker


class JsonLines(Tracker):
    """Appends `{"step": 10, "val/psnr": 23.4}`; a line is in the file when `scalars` returns.

    A figure that is not finite is null: JSON has no word for it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def open(cls, path: Path, resume_step: int | None) -> "JsonLines":
        """Goes on after `resume_step`: lines of later steps are dropped, the run will write them again.

        None: the run starts anew and so does the file.
        """
        kept = _lines_up_to(path, -1 if resume_step is None else resume_step)
        _replace(path, kept)
        return cls(path.open("a", encoding="utf-8"))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._file.write(json.dumps({"step": step, **finite}, allow_nan=False) + "\n")
        self._file.flush()

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        """Holds no pictures."""

    def note(self, step: int, text: str) -> None:
        """Holds no text."""

    def close(self) -> None:
        self._file.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """What a file holds, without the line that a killed run left half written; [] where there is none."""
    if not path.exists():
        return []
    *whole, _torn = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in whole]


def _lines_up_to(path: Path, step: int) -> str:
    kept = [line for line in read_lines(path) if line["step"] <= step]
    return "".join(json.dumps(line) + "\n" for line in kept)


def _replace(path: Path, text: str) -> None:
    """At any moment the file is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
