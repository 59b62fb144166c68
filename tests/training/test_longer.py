"""A run that goes on beyond the end it had is the longer run from there on."""

import shutil
from pathlib import Path

import pytest
import torch

from raysweep.assemble import assemble
from raysweep.config import RunConfig, prolonged
from raysweep.training.loop import Report, fit, resume
from tests.tiny import CPU, NO_TRACKER, MemoryBatches, tiny_run


def states(run: RunConfig, folder: Path, start: Path | None = None) -> dict[str, object]:
    """Trains `run` to its end, its last checkpoint being left in `folder` -> the state there."""
    parts = assemble(run, CPU)
    if start is not None:
        resume(parts, start, lambda report: None)

    def report(report: Report) -> None:
        assert report.checkpoint is not None
        shutil.copytree(report.checkpoint, folder, dirs_exist_ok=True)

    fit(parts, MemoryBatches(run), report, NO_TRACKER)
    return parts.state.state_dict()


@pytest.mark.parametrize("schedule", ["constant", "exponential"])
def test_a_prolonged_run_is_the_longer_run_bit_for_bit(tmp_path, schedule) -> None:
    more = {"training.schedule": schedule, "training.decay_every": 2}
    short = tiny_run({"training.steps": 4, "loss.disc_start": 0.5, **more})
    long = tiny_run({"training.steps": 6, "loss.disc_start": 2, **more})
    states(short, tmp_path / "short")
    went_on = states(prolonged(short, 4, 6), tmp_path / "long", tmp_path / "short")
    torch.testing.assert_close(went_on, states(long, tmp_path / "whole"), atol=0, rtol=0)
    assert went_on["step"] == 6
