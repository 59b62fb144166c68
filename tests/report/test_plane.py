"""The rate-distortion plane: its front is what no trial beats in both, and is drawn."""

import json

import pytest

from raysweep.report.plane import _plane, pareto_front, plane_section
from tests.report.sweeps import compared, swept

RATE = "val/bits_per_pixel"


@pytest.mark.parametrize(("distortion", "sign"), [("val/psnr", 1), ("val/lpips", -1)])
def test_no_trial_beats_one_of_the_front_in_both(comparison, distortion, sign):
    points = {
        entry.key: (-entry.row.metrics[RATE], sign * entry.row.metrics[distortion])
        for entry in comparison.entries
        if entry.place
    }
    unbeaten = {
        key for key, one in points.items() if not any(beats(it, one) for it in points.values())
    }
    there = [entry for entry in comparison.entries if entry.place]
    front = pareto_front(there, RATE, distortion)
    assert {entry.key for entry in front} == unbeaten
    rates = [entry.row.metrics[RATE] for entry in front]
    assert rates == sorted(rates)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def test_the_reader_chooses_between_what_was_measured(comparison):
    body = plane_section(comparison).body
    for axes in ("psnr at bits/px", "psnr at entropy bits/px", "lpips at bits/px"):
        assert f"<option>{axes}</option>" in body
    assert "rfid" not in body


def test_what_different_networks_measured_has_no_front_in_common(tmp_path):
    experiments = [swept(tmp_path / name, trials=6, validations=4) for name in ("one", "two")]
    facts = json.loads(experiments[1].validation_file.read_text())
    facts["fingerprint"]["weights"] = {"val/lpips": "vgg 1"}
    experiments[1].validation_file.write_text(json.dumps(facts))
    found = compared(*experiments)
    assert found.differences == []  # they rank by PSNR
    names = {
        distortion: [trace.name for trace in _plane(found, RATE, distortion).data]
        for distortion in ("val/psnr", "val/lpips")
    }
    assert names["val/psnr"] == ["Pareto front", "one", "two"]
    assert names["val/lpips"] == ["Pareto front of one", "one", "Pareto front of two", "two"]


def test_before_the_first_validation_it_says_so(tmp_path):
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    experiment.events.unlink()
    assert "No trial has a validation" in plane_section(compared(experiment)).body
