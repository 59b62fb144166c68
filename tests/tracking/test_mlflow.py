"""MLflow, on a database of its own."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from raysweep.errors import ConfigError
from raysweep.tracking import TrackingConfig
from raysweep.tracking.mlflow import MLflow
from tests.tracking.made import opened, some_picture


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
        with opened(MLFLOW, tmp_path / trial, trial, resume_step, many) as tracker:
            tracker.scalars((resume_step or 0) + 10, {"val/psnr": 20.0 + (resume_step or 0)})
            tracker.image(10, "val/pictures", some_picture())
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
