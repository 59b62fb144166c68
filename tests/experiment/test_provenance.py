"""What is written down of the code that made an experiment."""

import re
from pathlib import Path

import optuna
import pytest

import raysweep
from raysweep.config import SweepConfig
from raysweep.experiment.provenance import provenance
from raysweep.schema import parse


def test_versions_are_known_and_are_settings_of_a_sweep():
    known = provenance()
    assert known["optuna"] == optuna.__version__
    assert parse(SweepConfig, {"name": "x", "made_with": known}).made_with == known


@pytest.mark.skipif(
    not (Path(raysweep.__file__).parents[1] / ".git").exists(), reason="not in a git checkout"
)
def test_the_revision_is_that_of_the_checkout():
    assert re.fullmatch(r"[0-9a-f]{40}\+?", provenance()["git revision"])
