"""What a trial keeps in files: lines of figures, the log, pictures; a resumed run leaves no step twice."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from raysweep.tracking.jsonl import JsonLines, read_lines
from raysweep.tracking.log import TrainingLog
from raysweep.tracking.pictures import PictureFolder, save_png, side_by_side
from tests.tracking.made import read_png, some_picture


def _write_steps(path: Path, resume_step: int | None, *steps: int) -> None:
    tracker = JsonLines.open(path, resume_step)
    for step in steps:
        tracker.scalars(step, {"val/psnr": float(step)})
    tracker.close()


def test_a_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    tracker = JsonLines.open(tmp_path / "trial" / "metrics.jsonl", None)
    tracker.scalars(10, {"val/psnr": 20.5, "val/lpips": 0.25})
    text = (tmp_path / "trial" / "metrics.jsonl").read_text()
    tracker.close()
    assert text == '{"step": 10, "val/psnr": 20.5, "val/lpips": 0.25}\n'


RESUMES = [
    pytest.param(20, [10, 20, 30, 40], id="from a checkpoint before the last line"),
    pytest.param(30, [10, 20, 30, 40], id="from the last line"),
    pytest.param(0, [30, 40], id="from the very beginning"),
    pytest.param(None, [30, 40], id="anew"),
]


@pytest.mark.parametrize(("resume_step", "expected"), RESUMES)
def test_a_resumed_run_leaves_no_step_twice(
    resume_step: int | None, expected: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "metrics.jsonl"
    _write_steps(path, None, 10, 20, 30)
    again = [40] if resume_step == 30 else [30, 40]
    _write_steps(path, resume_step, *again)
    assert [line["step"] for line in read_lines(path)] == expected
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_line_half_written_by_a_killed_run_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10, "val/psnr": 1.0}\n{"step": 20, "val/p')
    _write_steps(path, 20, 30)
    assert [line["step"] for line in read_lines(path)] == [10, 30]


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    tracker = JsonLines.open(tmp_path / "metrics.jsonl", None)
    tracker.scalars(1, {"loss": float("nan"), "norm": float("inf")})
    tracker.close()
    text = (tmp_path / "metrics.jsonl").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {"step": 1, "loss": None, "norm": None}


def test_the_log_is_aligned_and_keeps_its_history(tmp_path: Path) -> None:
    path = tmp_path / "training.log"
    for resume_step, step in ((None, 1000), (1000, 20000)):
        log = TrainingLog.open(path, resume_step)
        log.scalars(step, {"val/psnr": step / 7, "val/lpips": 0.00123})
        log.close()
    started, first, resumed, second = path.read_text().splitlines()
    assert all(
        re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  ", line) for line in (started, first, resumed)
    )
    assert resumed.endswith("resumed from step 1000")
    assert len(first) == len(second)
    assert first.index("val/psnr") == second.index("val/psnr")


def test_originals_stand_above_reconstructions() -> None:
    frames = torch.full((3, 3, 6, 5), -1.0)
    seen = torch.full((3, 3, 6, 5), 2.0)  # out of range: clamped
    picture = side_by_side(frames, seen, limit=2)
    assert picture.dtype == np.uint8
    assert picture.shape == (6 + 2 + 6, 5 + 2 + 5, 3)
    assert (picture[:6, :5] == 0).all()
    assert (picture[:6, 7:] == 0).all()
    assert (picture[:6, 5:7] == 255).all()
    assert (picture[6:] == 255).all()


def test_pixels_and_colours_survive() -> None:
    wanted = torch.from_numpy(some_picture())
    frames = (wanted.permute(2, 0, 1)[None] / 127.5 - 1).requires_grad_()
    np.testing.assert_array_equal(side_by_side(frames, frames)[:12], wanted)


def test_a_png_has_the_pictures_colours(tmp_path: Path) -> None:
    save_png(some_picture(), tmp_path / "new" / "picture.png")
    np.testing.assert_array_equal(read_png(tmp_path / "new" / "picture.png"), some_picture())


def test_a_folder_of_pictures_names_what_and_when(tmp_path: Path) -> None:
    PictureFolder(tmp_path).image(1000, "val/pictures", some_picture())
    np.testing.assert_array_equal(read_png(tmp_path / "val-pictures-00001000.png"), some_picture())
