"""`training.log`: the same reports for people, one aligned line each."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from raysweep.tracking.base import Picture, Tracker


class TrainingLog(Tracker):
    """`2026-01-31 12:00:00Z  step     1000  val/psnr      23.45  ...`; a history, so nothing is ever dropped."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def open(cls, path: Path, resume_step: int | None) -> "TrainingLog":
        path.parent.mkdir(parents=True, exist_ok=True)
        log = cls(path.open("a", encoding="utf-8"))
        log._write("started" if resume_step is None else f"resumed from step {resume_step}")
        return log

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        figures = "  ".join(f"{name} {value:>10.4g}" for name, value in sorted(values.items()))
        self._write(f"step {step:>8d}  {figures}")

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        """Holds no pictures."""

    def note(self, step: int, text: str) -> None:
        self._write(f"step {step:>8d}  {text}")

    def close(self) -> None:
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}  {text}\n")
        self._file.flush()
