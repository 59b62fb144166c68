"""`fit` and `resume`: what is reported and kept, and that a run may stop anywhere and go on exactly."""

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from raysweep.assemble import assemble
from raysweep.metrics import METRIC_DIRECTIONS
from raysweep.objectives import objective
from raysweep.schema import Tree
from raysweep.search.objective import Constraint, Goal, Objective
from raysweep.search.ranking import best_first
from raysweep.tracking import Picture, Tracker
from raysweep.training.loop import DIVERGED, LATEST, Parts, Report, fit, resume
from raysweep.training.step import Scalars
from tests.models.pairs import FAMILIES
from tests.tiny import CPU, NO_TRACKER, QUANTIZERS, MemoryBatches, tiny_parts, tiny_run

FAST: Tree = {"loss.perceptual_net": "none"}


class _Notes(Tracker):
    def __init__(self) -> None:
        self.lines: list[tuple[int, Mapping[str, float]]] = []
        self.pictures: list[tuple[int, str]] = []
        self.notes: list[tuple[int, str]] = []

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self.lines.append((step, values))

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self.pictures.append((step, name))

    def note(self, step: int, text: str) -> None:
        self.notes.append((step, text))

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
    settings = {"training.log_every": 2, "training.validate_every": 3, "training.pictures_every": 5}
    _fit({**settings, "loss.disc_start": 4}, lambda report: None, tracker=notes)
    trained = [step for step, values in notes.lines if "train/recon_loss" in values]
    assert trained == [2, 3, 4, 6]
    assert [step for step, values in notes.lines if "val/psnr" in values] == [3, 6]
    validated, shown = "val/reconstruction", "train/reconstruction"
    assert notes.pictures == [(3, validated), (5, shown), (6, validated)]


BEFORE = """recon_loss vq_loss commitment_loss total_loss perplexity code_usage_rate disc_factor
    grad_norm skipped_steps frames_per_second steps_per_second data_wait"""
JUDGED = "g_loss lambda_gan"
LEARNING = "gan_loss logits_real logits_fake disc_grad_norm"


SCALARS = [
    ({"loss.disc_start": 9}, ""),
    ({"loss.perceptual_net": "squeeze", "loss.disc_start": 9}, "perc_loss"),
    ({"loss.disc_start": 1, "loss.disc_every": 2}, JUDGED),
    ({"loss.disc_start": 0}, f"{JUDGED} {LEARNING}"),
    ({"loss.disc_start": 0, "loss.disc_warmup_steps": 3}, LEARNING),
    ({"loss.disc_start": 0, "loss.lecam_weight": 0.1}, f"{JUDGED} {LEARNING} lecam_loss"),
    (
        {"loss.disc_start": 0, "loss.r1_weight": 0.1, "loss.r1_every": 1},
        f"{JUDGED} {LEARNING} r1_loss",
    ),
]


@pytest.mark.parametrize(("changes", "also"), SCALARS)
def test_the_names_of_training_scalars(changes, also) -> None:
    notes = _Notes()
    settings = {"training.steps": 3, "training.log_every": 3, "loss.disc_every": 1}
    _fit({**settings, **changes}, lambda report: None, tracker=notes)
    names = f"{BEFORE} {also}".split()
    assert set(notes.lines[0][1]) == {f"train/{name}" for name in names}


EARLIER = """train/recon_loss train/vq_loss train/commitment_loss train/perc_loss train/total_loss train/g_loss
    train/gan_loss train/lambda_gan train/disc_factor train/perplexity train/code_usage_rate
    val/loss/total val/loss/recon val/psnr val/lpips val/fid val/perplexity"""
RENAMED = {"val/fid": "val/rfid"}


def test_the_earlier_systems_names_are_all_logged() -> None:
    notes = _Notes()
    settings = {"loss.perceptual_net": "squeeze", "loss.disc_start": 0, "training.steps": 1}
    _fit(settings, lambda report: None, tracker=notes)
    logged = {name for _, values in notes.lines for name in values}
    missing = {RENAMED.get(name, name) for name in EARLIER.split()} - logged
    assert missing == {"val/lpips", "val/rfid"}  # which need fetched weights
    assert missing <= {f"val/{name}" for name in METRIC_DIRECTIONS}


def test_the_validation_loss_is_the_weighted_sum_of_its_terms() -> None:
    reports: list[Report] = []
    weights = {"loss.pixel_weight": 0.5, "loss.perceptual_weight": 0.3, "loss.codebook_weight": 2.0}
    _fit({**weights, "loss.perceptual_net": "squeeze", "training.steps": 1}, reports.append)
    values = reports[-1].metrics
    assert values["val/loss/total"] == pytest.approx(
        0.5 * values["val/loss/recon"]
        + 0.3 * values["val/lpips_random"]
        + 2 * values["val/loss/vq"]
    )


def test_it_learns() -> None:
    reports: list[Report] = []
    _fit({"training.steps": 24, "training.validate_every": 12}, reports.append)
    first, last = (report.metrics["val/psnr"] for report in reports)
    assert last > first


class _AllTrain(MemoryBatches):
    """Nothing to validate on."""

    def validation(self) -> Generator[Tensor]:
        yield from ()

    def preview(self) -> Tensor:
        raise AssertionError("there is nothing to show")


def test_without_validation_the_latest_checkpoint_is_the_best(tmp_path) -> None:
    changes = {**FAST, "data.split": "none", "training.steps": 4, "training.validate_every": 2}
    parts, reports = tiny_parts(changes), []
    fit(parts, _AllTrain(tiny_run(changes)), reports.append, NO_TRACKER, tmp_path)
    assert [report.metrics for report in reports] == [{LATEST: 2.0}, {LATEST: 4.0}]
    assert json.loads((tmp_path / LATEST / "metrics.json").read_text())["step"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    assert objective("psnr", (), tiny_run(changes)).kept_as == LATEST


class _Watched(MemoryBatches):
    """Counts the streams that nobody has closed."""

    open_streams = 0

    def train(self, step: int) -> Generator[Tensor]:
        yield from self._counted(super().train(step))

    def validation(self) -> Generator[Tensor]:
        yield from self._counted(super().validation())

    def _counted(self, stream: Iterator[Tensor]) -> Iterator[Tensor]:
        self.open_streams += 1
        try:
            yield from stream
        finally:
            self.open_streams -= 1


@pytest.mark.parametrize("steps", [range(0), range(2, 9)], ids=["to its end", "not finite"])
def test_streams_are_closed_at_the_end(steps) -> None:
    changes = {**FAST, "training.max_skipped": 1}
    batches = _Watched(tiny_run(changes))
    fit(_poisoned(tiny_parts(changes), steps), batches, lambda report: None, NO_TRACKER)
    assert batches.open_streams == 0


def test_streams_are_closed_when_validating_fails() -> None:
    def fail(report: Report) -> None:
        raise OSError("the disk is full")

    batches = _Watched(tiny_run(FAST))
    with pytest.raises(OSError, match="the disk is full") as caught:
        fit(tiny_parts(FAST), batches, fail, NO_TRACKER)
    assert caught.value.__traceback__ is not None  # which holds what the frames of the stack hold
    assert batches.open_streams == 0


# --- divergence


def _poisoned(parts: Parts, steps: range) -> Parts:
    """Frames that are not numbers come in at these steps."""

    def step(frames: Tensor) -> Scalars:
        return parts.step(frames * (float("nan") if parts.state.step in steps else 1.0))

    return replace(parts, step=step)


def _poisoned_run(changes: Tree, steps: range) -> tuple[Parts, list[Report], _Notes]:
    changes = {**FAST, "training.steps": 8, "training.validate_every": 4, **changes}
    parts, reports, notes = tiny_parts(changes), [], _Notes()
    fit(_poisoned(parts, steps), MemoryBatches(tiny_run(changes)), reports.append, notes)
    return parts, reports, notes


DIVERGENCES = [
    pytest.param({"training.max_skipped": 1}, range(2, 3), [3], id="the first ends it"),
    pytest.param({"training.max_skipped": 2}, range(5, 9), [4, 8], id="two in a row"),
    pytest.param(
        {"training.max_skipped": 2, "training.log_every": 99}, range(2, 99), [4], id="no logs"
    ),
]


@pytest.mark.parametrize(("changes", "steps", "reported"), DIVERGENCES)
def test_too_many_bad_steps_in_a_row_end_the_run_without_a_checkpoint(
    changes, steps, reported
) -> None:
    _, reports, _ = _poisoned_run(changes, steps)
    assert [report.step for report in reports] == reported
    assert reports[-1] == Report(reported[-1], {DIVERGED: float(reported[-1])}, None)
    assert all(DIVERGED not in report.metrics for report in reports[:-1])


def test_fewer_are_passed_over_and_counted() -> None:
    parts, reports, notes = _poisoned_run({"training.max_skipped": 3}, range(2, 4))
    assert [report.step for report in reports] == [4, 8]
    counted = {s: v["train/skipped_steps"] for s, v in notes.lines if "train/grad_norm" in v}
    assert counted == {1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2}
    assert all(value.isfinite().all() for value in parts.state.tokenizer.state_dict().values())


def test_weights_that_are_not_finite_end_the_run() -> None:
    parts, reports = tiny_parts(FAST), []
    parts.state.tokenizer.last_layer.data[0] = float("nan")
    fit(parts, MemoryBatches(tiny_run(FAST)), reports.append, NO_TRACKER)
    assert reports == [Report(3, {DIVERGED: 3.0}, None)]


# --- a codebook that is not used


@pytest.mark.parametrize(("validations", "warned"), [(1, [1]), (3, [3]), (9, [])])
def test_a_collapse_is_noted_once_with_what_to_do(validations, warned) -> None:
    notes = _Notes()
    changes = {
        "training.steps": 4,
        "training.validate_every": 1,
        "training.collapse_usage": 1.0,
        "training.collapse_validations": validations,
    }
    _fit(changes, lambda report: None, tracker=notes)
    assert [step for step, _ in notes.notes] == warned
    assert all("codebook_size" in text for _, text in notes.notes)


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


PSNR, USAGE = Goal("val/psnr", "max"), Goal("val/code_usage", "max")
KEPT = [
    pytest.param(Objective((PSNR, Goal("val/flicker", "min")), (1.0, 2.0)), "score", id="a sum"),
    pytest.param(Objective((PSNR, USAGE)), "latest", id="several"),
    pytest.param(
        Objective((PSNR,), constraints=(Constraint("val/code_usage", 0.9, True),)),
        "val/psnr",
        id="a bound that none keeps",
    ),
]


@pytest.mark.parametrize(("ranked_by", "name"), KEPT)
def test_the_best_checkpoint_is_kept_by_what_trials_are_ranked_by(ranked_by, name, tmp_path):
    """In one run, and where it went on from the middle."""
    changes = {**FAST, "training.steps": 6, "training.validate_every": 1}
    run, reports = tiny_run(changes), []
    for steps in (3, 6):
        parts = assemble(run, CPU, ranked_by)
        if reports:
            resume(parts, tmp_path / "3", lambda report: None)
        config = parts.config.model_copy(update={"steps": steps})
        keeper = _Keeper(tmp_path)
        fit(
            replace(parts, config=config), MemoryBatches(run), keeper, NO_TRACKER, tmp_path / "best"
        )
        reports += keeper.reports
    scores = {report.step: ranked_by.score(report.metrics) for report in reports}
    wanted = 6 if name == "latest" else best_first(scores)[0]
    home = tmp_path / "best" / name.removeprefix("val/")
    assert json.loads((home / "metrics.json").read_text())["step"] == wanted
    assert {path.name for path in (tmp_path / "best").iterdir()} == {"psnr", home.name}


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
    pytest.param(
        {
            "loss.preset": "vqgan_plus",
            "loss.logit_weight": 0.0,
            "loss.perceptual_net": "squeeze",
            "loss.perceptual_init": "random",
            "loss.disc_start": 4,
            "loss.disc_warmup_steps": 3,
            "loss.disc_ramp": 4,
            "loss.disc_noise": 0.1,
            "loss.r1_weight": 1.0,
            "loss.r1_every": 2,
            "training.accumulate": 2,
            "model.quantizer": QUANTIZERS["ema"],
            "discriminator": {"kind": "blur", "ch": 8, "layers": 2},
        },
        id="everything on",
    ),
    pytest.param({"discriminator.norm": "actnorm", "loss.disc_start": 2}, id="activation norm"),
    pytest.param({"training.precision": "bf16", "loss.disc_start": 3}, id="bfloat16"),
    pytest.param({"model": FAMILIES["hierarchical"]}, id="two levels, batch norm"),
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
