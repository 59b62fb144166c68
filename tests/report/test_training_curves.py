"""Training curves: out of a log that may be long, torn, or not there."""

import json

import pytest

from raysweep.report.curves import curves_section
from raysweep.report.training_curves import MOST_POINTS, training_curves
from tests.report.sweeps import append, compared, swept


@pytest.fixture
def log(tmp_path):
    """1000 steps, a validation after every hundredth, and a line that is being written."""
    file = tmp_path / "metrics.jsonl"
    lines = []
    for step in range(1, 1001):
        lines.append({"step": step, "train/total_loss": 1 / step, "train/grad_norm": 1.0})
        if step % 100 == 0:
            lines.append({"step": step, "val/psnr": 20.0})
    lines[-2]["train/total_loss"] = None
    text = "".join(json.dumps(line) + "\n" for line in lines)
    file.write_text(text + '{"step": 1001, "train/to')
    return file


def test_a_long_log_is_thinned_evenly_up_to_its_end(log):
    found = training_curves(log)
    assert found.steps == list(range(10, 1001, 10))
    assert len(found.steps) == MOST_POINTS
    assert set(found.values) == {"train/total_loss"}
    assert found.values["train/total_loss"][0] == 0.1
    assert found.values["train/total_loss"][-1] is None


def test_a_short_log_is_shown_whole(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 5, "train/total_loss": 0.5}\n')
    assert training_curves(file) == ([5], {"train/total_loss": [0.5]})
    assert training_curves(tmp_path / "none.jsonl") == ([], {})


def test_a_trial_that_failed_before_its_first_validation_has_a_curve(log, tmp_path):
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    known = {"trial": "0001", "time": 2e9, "params": {}, "settings": {}, "origin": "space"}
    append(experiment, {**known, "kind": "proposed"}, {**known, "kind": "started"})
    folder = experiment.trial("0001")
    folder.mkdir(parents=True)
    log.rename(folder / "metrics.jsonl")
    body = curves_section(compared(experiment)).body
    assert '"train/total_loss": "train/total loss"' in body
