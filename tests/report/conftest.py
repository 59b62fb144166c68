"""One made-up sweep for all, which nobody changes."""

import pytest

from raysweep.experiment.layout import Experiment
from raysweep.report.contest import Comparison
from tests.report.sweeps import compared, swept


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return swept(tmp_path_factory.mktemp("runs") / "first")


@pytest.fixture(scope="session")
def comparison(sweep: Experiment) -> Comparison:
    return compared(sweep)
