"""Trials of one or several experiments, in one order where their scores compare."""

import json

import pytest

from raysweep.report.contest import metrics_of, varied
from raysweep.report.leaderboard import leaderboard_section
from tests.report.sweeps import append, compared, swept


@pytest.fixture
def two(tmp_path):
    return [swept(tmp_path / name, trials=6, validations=4) for name in ("one", "two")]


def test_trials_of_experiments_that_compare_have_one_order(two):
    found = compared(*two)
    assert found.differences == []
    figures = [entry.row.metrics["val/psnr"] for entry in found.entries if entry.place]
    assert figures == sorted(figures, reverse=True)
    assert [entry.place for entry in found.entries if entry.place] == list(
        range(1, len(figures) + 1)
    )
    assert {entry.label.split("/")[0] for entry in found.entries} == {"one", "two"}
    assert len({entry.key for entry in found.entries}) == 12


def record(experiment, **changes) -> None:
    facts = json.loads(experiment.validation_file.read_text())
    fingerprint = {**facts["fingerprint"], **changes}
    experiment.validation_file.write_text(json.dumps({**facts, "fingerprint": fingerprint}))


APART = [
    ({"frames": "0" * 64}, "one and two validated on different frames."),
    ({"weights": {"val/psnr": "vgg 1"}}, "one and two measured val/psnr with different networks."),
]


@pytest.mark.parametrize(("changes", "why"), APART)
def test_those_that_do_not_compare_are_listed_one_after_another(two, changes, why):
    record(two[1], **changes)
    found = compared(*two)
    assert found.differences == [why]
    assert [entry.contest.name for entry in found.entries] == ["one"] * 6 + ["two"] * 6
    assert [entry.place for entry in found.entries if entry.place].count(1) == 2
    assert found.best_of(found.entries[-1]).contest.name == "two"


def test_other_objectives_and_frames_that_nobody_recorded_are_told(two):
    two[0].validation_file.unlink()
    asked = two[0].sweep_file.read_text().replace("objective: psnr", "objective: ssim")
    two[0].sweep_file.write_text(asked)
    one, other = compared(*two).differences
    assert one == (
        "one and two rank by different things: val/ssim, higher is better, and val/psnr, higher is better."
    )
    assert "not both recorded" in other


def test_settings_that_differ_begin_with_those_that_were_searched(comparison):
    searched = set(comparison.entries[0].record.params)
    found = varied(comparison.entries)
    assert set(found[: len(searched)]) == searched
    assert "training.steps" not in found
    assert "model.quantizer.decay" in found  # some kinds have it


def test_metrics_begin_with_the_objectives(comparison):
    assert metrics_of(comparison.entries)[0] == "val/psnr"


def test_who_gave_a_trial_its_settings_is_told(tmp_path):
    experiment = swept(tmp_path / "one", trials=3, validations=2)
    points = "points:\n- loss.disc_weight: 0.5\n"
    experiment.sweep_file.write_text(experiment.sweep_file.read_text() + points)
    proposed = {"kind": "proposed", "trial": "0003", "time": 2e9, "origin": "enqueued"}
    append(experiment, {**proposed, "params": {}, "settings": {"seed": 7}})
    found = {entry.label: entry.given for entry in compared(experiment).entries}
    assert found == {"0000": "point 1", "0001": "", "0002": "", "0003": "enqueued"}


def test_an_experiment_that_has_not_begun(tmp_path):
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    experiment.events.unlink()
    found = compared(experiment)
    assert list(found.entries) == []
    assert "mean colour" in leaderboard_section(found).body
