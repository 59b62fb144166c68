"""An empty folder to work in, experiments made without Ray, and the command line as a function."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from raysweep.cli import main
from raysweep.experiment.layout import Experiment, create
from search_spaces import smoke
from tests.fakes import driver, execute, small_sweep


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    error: str


Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str | Path) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def swept(folder: Path) -> Experiment:
    """runs/small, played through: six trials, one more by hand."""
    experiment = Experiment(folder / "runs" / "small")
    settings = small_sweep(pinned={"training.learning_rate": 0.5})
    source = Path(str(smoke.__file__)).read_text()
    create(experiment, yaml.safe_dump(settings.model_dump(mode="json")), source)
    with driver(experiment.events, settings) as mind:
        execute(mind)
        mind.add({"training.learning_rate": 0.25, "loss.disc_weight": 99.0}, "from 0000")
        execute(mind)
    return experiment
