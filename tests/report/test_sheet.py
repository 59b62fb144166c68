"""The table for other programs says what the page says."""

import csv
import io
import json
import math

from raysweep.report.sheet import FIXED, as_csv, as_json
from tests.report.sweeps import append, compared, hostile, swept


def test_csv_has_a_line_a_trial_best_first(comparison):
    lines = list(csv.DictReader(io.StringIO(as_csv(comparison))))
    assert [line["trial"] for line in lines] == [it.record.trial for it in comparison.entries]
    assert tuple(lines[0])[: len(FIXED)] == FIXED
    best = comparison.entries[0]
    assert float(lines[0]["val/psnr"]) == best.row.metrics["val/psnr"]
    assert lines[0]["loss.disc_start"] == str(best.record.settings["loss.disc_start"])


def test_csv_keeps_odd_text_in_its_place(tmp_path):
    found = compared(hostile(tmp_path))
    lines = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert lines[-1].keys() == lines[0].keys()
    reasons = {line["trial"]: line["reason"] for line in lines}
    assert (
        reasons["0024"]
        == next(it for it in found.entries if it.record.trial == "0024").record.reason
    )


def test_json_has_every_validation_and_what_the_page_works_out(comparison):
    tree = json.loads(as_json(comparison))
    best = comparison.entries[0]
    told = tree["trials"][0]
    assert told["validations"]["10000"] == best.record.reports[10_000]
    assert told["settings"]["training.steps"] == 100_000
    assert told["repeat"].endswith(f"--trial {best.record.trial}")
    (experiment,) = tree["experiments"]
    assert experiment["early_stopping"]["saved"] == comparison.contests[0].budget.saved_steps
    assert set(experiment["importance"]["psnr"]) == set(best.record.params)


def test_json_has_null_for_what_is_no_number(tmp_path):
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    known = {"trial": "0001", "time": 2e9}
    append(
        experiment,
        {**known, "kind": "proposed", "origin": "space", "params": {}, "settings": {}},
        {**known, "kind": "report", "step": 10, "metrics": {"val/psnr": math.nan}},
    )
    tree = json.loads(as_json(compared(experiment)), parse_constant=lambda name: 1 / 0)
    assert tree["trials"][1]["validations"] == {"10": {"val/psnr": None}}
