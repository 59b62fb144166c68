"""Training outlives the destinations of others: what fails is left, and the log says so once."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from raysweep.tracking import TrackingConfig, trackers
from raysweep.tracking.base import Picture, Tracker
from raysweep.tracking.guarded import Guarded
from raysweep.tracking.log import TrainingLog


class OwnError(Exception):
    """As libraries have them: no kind of any other."""


class Failing(Tracker):
    """From one call on."""

    def __init__(self, failing: str) -> None:
        self._failing = failing
        self.told: list[str] = []
        self._hear("begin")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._hear("scalars")

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self._hear("image")

    def note(self, step: int, text: str) -> None:
        self._hear("note")

    def close(self) -> None:
        self._hear("close")

    def _hear(self, call: str) -> None:
        self.told.append(call)
        if call == self._failing:
            raise OwnError("the server said no.\nTraceback of somebody else")


@pytest.mark.parametrize("failing", ["begin", "scalars", "image", "note", "close"])
def test_what_fails_is_noted_once_and_told_nothing_more(failing: str, tmp_path: Path) -> None:
    log = TrainingLog.open(tmp_path / "training.log", 40)
    begun: list[Failing] = []

    def begin() -> Tracker:
        begun.append(Failing(failing))
        return begun[-1]

    tracker = Guarded("tracking.wandb", begin, log, 40)
    for step in (50, 60):
        tracker.scalars(step, {"val/psnr": 1.0})
        tracker.image(step, "x", np.zeros((1, 1, 3), np.uint8))
        tracker.note(step, "x")
    tracker.close()
    log.close()
    said = [
        line for line in (tmp_path / "training.log").read_text().splitlines() if "wandb" in line
    ]
    (line,) = said
    step = {"begin": 40, "close": 60}.get(failing, 50)
    expected = (
        "tracking.wandb failed, and is told nothing more: the server said no. Training goes on."
    )
    assert line.endswith(f"step {step:>8d}  {expected}")
    if failing not in ("begin", "close"):
        assert begun[0].told[-1] == failing


def test_a_trial_whose_wandb_is_out_of_reach_keeps_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "no such mode")
    config = TrackingConfig(tensorboard=False, wandb=True)
    words = {"experiment": "e", "trial": "0000", "settings": {}}
    with trackers(config, tmp_path, **words, resume_step=None) as tracker:  # type: ignore[arg-type]
        tracker.scalars(10, {"val/psnr": 20.0})
    assert "val/psnr" in (tmp_path / "metrics.jsonl").read_text()
    assert "tracking.wandb failed" in (tmp_path / "training.log").read_text()
