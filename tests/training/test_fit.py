"""`fit` and `resume`: what is reported and kept, and that a run may stop anywhere and go on exactly."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from raysweep.assemble import objective
from raysweep.schema import Tree
from raysweep.tracking import Picture, Tracker
from raysweep.training.loop import DIVERGED, LATEST, Parts, Report, fit, resume
from raysweep.training.step import Scalars
from tests.tiny import NO_TRACKER, QUANTIZERS, MemoryBatches, tiny_parts, tiny_run

FAST: Tree = {"loss.perceptual_net": "none"}


class _Notes(Tracker):
    def __init__(self) -> None:
        self.lines: list[tuple[int, Mapping[str, float]]] = []
        self.pictures: list[tuple[int, str]] = []

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self.lines.append((step, values))

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self.pictures.append((step, name))

    def close(self) -> None: ...


class _Keeper:
    """A receiver of reports that moves checkpoints where a trial's would be."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.reports = folder, []

    def __call__(self, report: Report) -> None:
        self.reports.append(report)
        if report.checkpoint is not None:
            shutil.move(report.checkpoint, self.folder / str(report.step))


def _fit(
    changes: Tree, report, *, start: Path | None = None, tracker=NO_TRACKER, best=None
) -> Parts:
    changes = {**FAST, **changes}
    parts = tiny_parts(changes)
    if start is not None:
        resume(parts, start, report)
    fit(parts, MemoryBatches(tiny_run(changes)), report, tracker, best)
    return parts


# --- reports


@pytest.mark.parametrize(
    ("steps", "every", "expected"),
    [(6, 3, [3, 6]), (7, 3, [3, 6, 7]), (4, 0, [4]), (2, 5, [2])],
)
def test_reports_at_every_validation_and_at_the_end(steps, every, expected, tmp_path) -> None:
    keeper = _Keeper(tmp_path)
    _fit({"training.steps": steps, "training.validate_every": every}, keeper)
    assert [report.step for report in keeper.reports] == expected
    for report in keeper.reports:
        assert {"val/psnr", "val/ssim", "val/perplexity", "val/bits_per_pixel"} <= set(
            report.metrics
        )
        assert all(type(value) is float for value in report.metrics.values())
        files = {path.name for path in (tmp_path / str(report.step)).iterdir()}
        assert files == {"state.pt", "metrics.json", "config.yaml"}


def test_lpips_is_reported_under_the_name_of_untrained_weights() -> None:
    reports: list[Report] = []
    _fit({"loss.perceptual_net": "squeeze", "training.steps": 1}, reports.append)
    assert "val/lpips_random" in reports[-1].metrics
    assert "val/lpips" not in reports[-1].metrics


def test_what_the_tracker_is_told() -> None:
    notes = _Notes()
    settings = {"training.log_every": 2, "training.validate_every": 3, "loss.disc_start": 4}
    _fit(settings, lambda report: None, tracker=notes)
    trained = [step for step, values in notes.lines if "train/recon_loss" in values]
    assert trained == [2, 3, 4, 6]
    assert [step for step, values in notes.lines if "val/psnr" in values] == [3, 6]
    assert notes.pictures == [(3, "val/reconstruction"), (6, "val/reconstruction")]
    by_step = dict(line for line in notes.lines if "train/recon_loss" in line[1])
    always = {"recon_loss", "vq_loss", "perplexity", "total_loss", "frames_per_second"}
    assert set(by_step[4]) == {f"train/{name}" for name in always}
    assert set(by_step[6]) == {f"train/{name}" for name in (*always, "g_loss", "lambda_gan")}


def test_it_learns() -> None:
    reports: list[Report] = []
    _fit({"training.steps": 24, "training.validate_every": 12}, reports.append)
    first, last = (report.metrics["val/psnr"] for report in reports)
    assert last > first


class _AllTrain(MemoryBatches):
    """Nothing to validate on."""

    def validation(self) -> Iterator[Tensor]:
        return iter(())

    def preview(self) -> Tensor:
        raise AssertionError("there is nothing to show")


def test_without_validation_the_latest_checkpoint_is_the_best(tmp_path) -> None:
    changes = {**FAST, "data.split": "none", "training.steps": 4, "training.validate_every": 2}
    parts, reports = tiny_parts(changes), []
    fit(parts, _AllTrain(tiny_run(changes)), reports.append, NO_TRACKER, tmp_path)
    assert [report.metrics for report in reports] == [{LATEST: 2.0}, {LATEST: 4.0}]
    assert json.loads((tmp_path / LATEST / "metrics.json").read_text())["step"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    assert objective("psnr", tiny_run(changes)).metric == LATEST


# --- divergence


def _poisoned(parts: Parts, at: int, name: str) -> Parts:
    def step(frames: Tensor) -> Scalars:
        scalars = parts.step(frames)
        if parts.state.step == at:
            scalars[name] = torch.tensor(float("nan"))
        return scalars

    return replace(parts, step=step)


@pytest.mark.parametrize("name", ["recon_loss", "gan_loss"])
def test_a_loss_that_is_not_finite_ends_the_run_without_a_checkpoint(name) -> None:
    changes = {**FAST, "training.log_every": 100}
    reports: list[Report] = []
    fit(
        _poisoned(tiny_parts(changes), 3, name),
        MemoryBatches(tiny_run(changes)),
        reports.append,
        NO_TRACKER,
    )
    assert reports == [Report(3, {DIVERGED: 3.0}, None)]


def test_weights_that_are_not_finite_end_the_run() -> None:
    parts, reports = tiny_parts(FAST), []
    parts.state.tokenizer.last_layer.data[0] = float("nan")
    fit(parts, MemoryBatches(tiny_run(FAST)), reports.append, NO_TRACKER)
    assert reports == [Report(1, {DIVERGED: 1.0}, None)]


# --- the best are kept


def test_the_best_checkpoint_is_kept_by_each_metric(tmp_path) -> None:
    changes = {"loss.perceptual_net": "squeeze", "training.steps": 4, "training.validate_every": 1}
    reports: list[Report] = []
    _fit(changes, reports.append, best=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"psnr", "lpips_random"}
    for name, choose in {"psnr": max, "lpips_random": min}.items():
        saved = json.loads((tmp_path / name / "metrics.json").read_text())
        wanted = choose(reports, key=lambda report, name=name: report.metrics[f"val/{name}"])
        assert saved["step"] == wanted.step
        assert saved["metrics"] == wanted.metrics


# --- going on


RESUMES = [
    pytest.param({"loss.disc_start": 8}, id="the GAN starts after the stop"),
    pytest.param({"loss.disc_start": 3}, id="the GAN had started"),
    pytest.param({"model.quantizer": QUANTIZERS["ema"], "loss.disc_start": 4}, id="ema"),
    pytest.param({"model.dropout": 0.3}, id="dropout"),
    pytest.param({"discriminator.norm": "batch", "loss.disc_start": 2}, id="batch norm"),
    pytest.param({"training.schedule": "cosine", "training.warmup_steps": 9}, id="schedule"),
    pytest.param({"loss.perceptual_net": "squeeze"}, id="lpips"),
    pytest.param({"training.weight_ema": 0.9}, id="averaged weights"),
]


@pytest.mark.parametrize("changes", RESUMES)
def test_twelve_steps_are_six_a_stop_and_six_bit_for_bit(changes, tmp_path) -> None:
    changes = {**changes, "training.steps": 12, "training.validate_every": 6}
    whole = _Keeper(tmp_path)
    straight = _fit(changes, whole)
    torch.manual_seed(99)  # another process is in another random state
    again = _Keeper(tmp_path / "again")
    again.folder.mkdir()
    resumed = _fit(changes, again, start=tmp_path / "6")
    assert [report.step for report in again.reports] == [6, 12]
    assert [r.metrics for r in again.reports] == [r.metrics for r in whole.reports]
    torch.testing.assert_close(
        resumed.state.state_dict(), straight.state.state_dict(), atol=0, rtol=0
    )


def test_resume_reports_the_saved_metrics_again_without_a_checkpoint(tmp_path) -> None:
    keeper = _Keeper(tmp_path)
    _fit({}, keeper)
    reports: list[Report] = []
    parts = tiny_parts(FAST)
    resume(parts, tmp_path / "3", reports.append)
    assert reports == [keeper.reports[0]._replace(checkpoint=None)]
    assert parts.state.step == 3


def test_a_finished_run_does_no_more(tmp_path) -> None:
    keeper = _Keeper(tmp_path)
    _fit({}, keeper)
    reports: list[Report] = []
    _fit({}, reports.append, start=tmp_path / "6")
    assert [report.step for report in reports] == [6]
