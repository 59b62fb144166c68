"""Trackers: the files are what they should be, and a resumed run leaves no step twice."""

import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from google.protobuf.struct_pb2 import Value
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import get_experiment, list_session_groups
from tensorboard.plugins.hparams.api_pb2 import (
    ColParams,
    GetExperimentRequest,
    ListSessionGroupsRequest,
    MetricInfo,
    Status,
)
from tensorboard.plugins.hparams.backend_context import Context

from raysweep.errors import ConfigError
from raysweep.tracking import Trackers, TrackingConfig, trackers
from raysweep.tracking.base import Picture
from raysweep.tracking.jsonl import JsonLines, read_lines
from raysweep.tracking.log import TrainingLog
from raysweep.tracking.mlflow import MLflow
from raysweep.tracking.pictures import PictureFolder, save_png, side_by_side
from raysweep.tracking.swanlab import URL_FILE
from raysweep.tracking.tensorboard import TensorBoard
from raysweep.tracking.wandb import WandB, is_offline


def _picture() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def _read_png(path: Path) -> Picture:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


# --- metrics.jsonl


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


# --- training.log


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


# --- pictures


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
    wanted = torch.from_numpy(_picture())
    frames = (wanted.permute(2, 0, 1)[None] / 127.5 - 1).requires_grad_()
    np.testing.assert_array_equal(side_by_side(frames, frames)[:12], wanted)


def test_a_png_has_the_pictures_colours(tmp_path: Path) -> None:
    save_png(_picture(), tmp_path / "new" / "picture.png")
    np.testing.assert_array_equal(_read_png(tmp_path / "new" / "picture.png"), _picture())


def test_a_folder_of_pictures_names_what_and_when(tmp_path: Path) -> None:
    PictureFolder(tmp_path).image(1000, "val/pictures", _picture())
    np.testing.assert_array_equal(_read_png(tmp_path / "val-pictures-00001000.png"), _picture())


# --- TensorBoard


def test_tensorboard_shows_each_step_once_after_a_resume(tmp_path: Path) -> None:
    for resume_step, steps, value in ((None, (10, 20, 30), 1.0), (20, (30, 40), 2.0)):
        tracker = TensorBoard(tmp_path, resume_step, {})
        for step in steps:
            tracker.scalars(step, {"val/psnr": value})
        tracker.image(steps[-1], "val/pictures", _picture())
        tracker.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    shown = [(event.step, event.value) for event in events.Scalars("val/psnr")]
    assert shown == [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0)]
    assert events.Images("val/pictures")[-1].width == 20


class Sessions:
    """What TensorBoard's page HParams shows of a folder."""

    def __init__(self, folder: Path) -> None:
        multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
        provider = MultiplexerDataProvider(multiplexer, str(folder))
        context = TBContext(logdir=str(folder), multiplexer=multiplexer, data_provider=provider)
        self._asked = (RequestContext(), Context(context), "")
        everything = GetExperimentRequest()
        experiment = get_experiment.Handler(*self._asked, everything).run()
        self.settings = {info.name: info.differs for info in experiment.hparam_infos}
        """Name -> whether runs differ in it."""
        self.metrics = {info.name.tag: info.name for info in experiment.metric_infos}

    def rows(self, setting: str, metric: str) -> dict[str, tuple[object, float]]:
        """By run."""
        wanted = [MetricInfo(name=name) for name in self.metrics.values()]
        request = ListSessionGroupsRequest(
            start_index=0,
            slice_size=100,
            allowed_statuses=[Status.Value("STATUS_UNKNOWN")],
            col_params=[ColParams(metric=info.name) for info in wanted],
        )
        answer = list_session_groups.Handler(*self._asked, request).run()
        return {
            group.name: (
                _plain(group.hparams[setting]),
                next(value.value for value in group.metric_values if value.name.tag == metric),
            )
            for group in answer.session_groups
        }


def _plain(value: Value) -> object:
    return getattr(value, str(value.WhichOneof("kind")))


def test_tensorboard_compares_the_settings_and_last_figures_of_trials(tmp_path: Path) -> None:
    for trial, rate in (("0000", 0.1), ("0001", 0.2)):
        settings = {"training": {"learning_rate": rate}, "model": {"kind": "conv", "ch": [1, 2]}}
        for resume_step in (None, 10):
            tracker = TensorBoard(tmp_path / trial / "tensorboard", resume_step, settings)
            tracker.scalars((resume_step or 0) + 10, {"val/psnr": rate + (resume_step or 0)})
            tracker.close()
    seen = Sessions(tmp_path)
    assert seen.settings == {"training.learning_rate": True, "model.kind": False, "model.ch": False}
    assert seen.metrics.keys() == {"val/psnr"}
    assert seen.rows("training.learning_rate", "val/psnr") == {
        "0000/tensorboard": (0.1, pytest.approx(10.1)),
        "0001/tensorboard": (0.2, pytest.approx(10.2)),
    }


# --- Weights & Biases


@pytest.fixture
def _no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.mark.usefixtures("_no_login")
def test_wandb_without_a_login_writes_a_run_that_can_be_sent_later(tmp_path: Path) -> None:
    for _ in range(2):  # the second goes on with the first's run
        run = WandB(
            tmp_path,
            project="p",
            group="experiment",
            name="0000",
            settings={"seed": 3},
            job_type="train_model",
        )
        run.scalars(10, {"val/psnr": 20.0})
        run.image(10, "val/pictures", _picture())
        run.close()
    run_id = (tmp_path / "wandb" / "run-id").read_text()
    (file, *_) = sorted(tmp_path.glob(f"wandb/offline-run-*-{run_id}/run-{run_id}.wandb"))
    content = file.read_bytes()
    for part in (b"val/psnr", b"experiment", b"0000", b"seed", b"train_model"):
        assert part in content
    assert {path.stem for path in tmp_path.glob("wandb/*/*.wandb")} == {f"run-{run_id}"}
    assert list(file.parent.glob("files/media/images/val/pictures*.png"))


LOGINS = [
    pytest.param({}, "", True, id="nothing"),
    pytest.param({"WANDB_API_KEY": "k"}, "", False, id="a key"),
    pytest.param({}, "machine api.wandb.ai login user password k", False, id="a login"),
    pytest.param({}, "machine elsewhere login user password k", True, id="a login elsewhere"),
    pytest.param({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "", True, id="asked for"),
    pytest.param({"WANDB_MODE": "online"}, "", False, id="asked against"),
]


@pytest.mark.usefixtures("_no_login")
@pytest.mark.parametrize(("environment", "login", "expected"), LOGINS)
def test_wandb_is_offline_without_a_login(
    environment: dict[str, str],
    login: str,
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text(login)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_offline() is expected


# --- MLflow


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """It takes MLflow seconds to begin one."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def mlflow(database: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    package = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    return package


MLFLOW = TrackingConfig(tensorboard=False, mlflow=True)


@pytest.mark.filterwarnings("ignore")  # its own tables make SQLAlchemy warn
def test_mlflow_has_a_run_per_trial_in_which_a_resumed_one_goes_on(mlflow, tmp_path: Path) -> None:
    many = {"training": {f"setting_{number}": number for number in range(150)}}
    for trial, resume_step in (("0000", None), ("0001", None), ("0000", 10)):
        with _open(MLFLOW, tmp_path / trial, trial, resume_step, many) as tracker:
            tracker.scalars((resume_step or 0) + 10, {"val/psnr": 20.0 + (resume_step or 0)})
            tracker.image(10, "val/pictures", _picture())
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("e")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.run_name"])
    assert [(run.info.run_name, run.info.status) for run in runs] == [
        ("0000", "FINISHED"),
        ("0001", "FINISHED"),
    ]
    assert runs[0].data.params == {f"training.setting_{n}": str(n) for n in range(150)}
    history = client.get_metric_history(runs[0].info.run_id, "val/psnr")
    assert [(figure.step, figure.value) for figure in history] == [(10, 20.0), (20, 30.0)]


@pytest.mark.filterwarnings("ignore")
def test_mlflow_that_makes_no_experiment_says_why(mlflow, tmp_path: Path) -> None:
    with pytest.raises(mlflow.MlflowException, match="Invalid experiment name"):
        MLflow(tmp_path, experiment="", name="0000", settings={})


def test_mlflow_that_cannot_write_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install mlflow-skinny"):
        MLFLOW.check()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI says, and that is not set"):
        MLFLOW.check()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    MLFLOW.check()


# --- SwanLab


class FakeSwanLab(ModuleType):
    """Remembers what it was told; the real package needs a network."""

    def __init__(self) -> None:
        super().__init__("swanlab")
        self.told: list[tuple[str, object]] = []
        self.url = "https://swanlab.example/@me/p/runs/1"

    def login(self, **words: object) -> None:
        self.told.append(("login", words))

    def init(self, **words: object) -> "FakeSwanLab":
        self.told.append(("init", words))
        return self

    def log(self, values: dict[str, object], step: int) -> None:
        self.told.append(("log", (values, step)))

    def finish(self) -> None:
        self.told.append(("finish", None))

    def Image(self, picture: Picture) -> tuple[int, ...]:
        return picture.shape


@pytest.fixture
def swanlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSwanLab:
    fake = FakeSwanLab()
    monkeypatch.setitem(sys.modules, "swanlab", fake)
    monkeypatch.delenv("SWANLAB_API_KEY", raising=False)
    monkeypatch.setenv("SWANLAB_ROOT", str(tmp_path / "nobody"))
    return fake


SWANLAB = TrackingConfig(
    tensorboard=False,
    swanlab=True,
    swanlab_project="p",
    swanlab_experiment="first",
    swanlab_tags=("a", "b"),
    swanlab_notes="n",
    swanlab_host="https://own.example",
)


def test_swanlab_is_told_all_and_leaves_its_address(
    swanlab: FakeSwanLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWANLAB_API_KEY", "k")
    for _ in range(2):  # the second goes on with the first's experiment
        with _open(SWANLAB, tmp_path) as tracker:
            tracker.scalars(10, {"val/psnr": 20.0})
            tracker.image(10, "val/pictures", _picture())
    login, init, scalars, image, finish = swanlab.told[:5]
    assert login == ("login", {"api_key": "k", "host": "https://own.example"})
    asked = dict(init[1])  # type: ignore[call-overload]
    assert asked == dict(swanlab.told[6][1])  # type: ignore[call-overload]
    expected = {"project": "p", "name": "first-0000", "group": "e", "tags": ["a", "b"]}
    expected |= {"description": "n", "config": {"seed": 0}, "mode": "online", "resume": "allow"}
    assert {name: asked[name] for name in expected} == expected
    assert scalars == ("log", ({"val/psnr": 20.0}, 10))
    assert image == ("log", ({"val/pictures": (12, 20, 3)}, 10))
    assert finish == ("finish", None)
    assert (tmp_path / URL_FILE).read_text() == swanlab.url


def test_swanlab_without_a_key_stays_here(swanlab: FakeSwanLab, tmp_path: Path) -> None:
    _open(SWANLAB, tmp_path).close()
    ((told, asked), _) = swanlab.told
    assert told == "init"
    assert dict(asked)["mode"] == "offline"  # type: ignore[call-overload]
    assert not (tmp_path / URL_FILE).exists()


def test_swanlab_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install swanlab"):
        SWANLAB.check()
    TrackingConfig().check()


# --- all together


def _open(
    config: TrackingConfig,
    folder: Path,
    trial: str = "0000",
    resume_step: int | None = None,
    settings: Mapping[str, Any] = MappingProxyType({"seed": 0}),
) -> Trackers:
    return trackers(
        config, folder, experiment="e", trial=trial, settings=settings, resume_step=resume_step
    )


@pytest.mark.parametrize("tensorboard", [True, False])
def test_a_trials_folder_holds_what_the_settings_say(tensorboard: bool, tmp_path: Path) -> None:
    with _open(TrackingConfig(tensorboard=tensorboard), tmp_path) as tracker:
        tracker.scalars(10, {"val/psnr": 20.0})
        tracker.image(10, "val/pictures", _picture())
    names = {path.name for path in tmp_path.iterdir()}
    always = {"metrics.jsonl", "training.log", "reconstructions"}
    assert names == (always | {"tensorboard"} if tensorboard else always)
