"""The demo, whole: minutes, so only `make test-all` runs it."""

import csv
import json
from pathlib import Path

import pytest

from raysweep.cli import main
from raysweep.experiment.layout import Experiment
from raysweep.pretrained import load

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1800)]

LEAST_GAIN_DB = 3.0
"""Over predicting each frame's own mean colour, on photographs that training never saw."""


def test_the_demo_finds_a_tokenizer_that_beats_the_mean_colour(
    cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--storage", str(tmp_path)]) == 0
    experiment = Experiment(tmp_path / "demo")
    with experiment.leaderboard.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 8
    assert any(row["state"] == "stopped" for row in rows)

    baseline = json.loads(experiment.validation_file.read_text())["mean_colour_psnr"]
    assert float(rows[0]["val/psnr"]) - baseline >= LEAST_GAIN_DB
    exported = json.loads((experiment.folder / "best" / "metrics.json").read_text())
    assert exported["metrics"]["val/psnr"] == pytest.approx(float(rows[0]["val/psnr"]))
    assert load(experiment.folder / "best").tokenizer.downsampling == (4,)

    assert (
        main(["demo", "--storage", str(tmp_path)]) == 0
    )  # a second one goes on, and finds all done
    assert "going on with it" in capsys.readouterr().out
