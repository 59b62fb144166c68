"""Footage that is prepared once, and an experiment that is a test's own."""

from pathlib import Path

import pytest

from raysweep.data import DataConfig
from raysweep.experiment.layout import Experiment
from tests.report.samples.pictured import filmed


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataConfig, Path]:
    return filmed(tmp_path_factory.mktemp("pictured"))


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path / "runs" / "pictured")
