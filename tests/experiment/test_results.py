"""Tables out of records: the order of the leaderboard, the CSV, the best."""

import csv

import pytest

from raysweep.errors import ExperimentError
from raysweep.experiment.records import TrialRecord
from raysweep.experiment.results import best, leaderboard, on_front, write_csv
from raysweep.search.objective import Constraint, Goal, Objective


def record(trial: str, reports: dict, state: str = "finished", **settings) -> TrialRecord:
    return TrialRecord(trial, "space", {}, settings, state, "", reports, started=10.0, ended=12.04)


def psnr(*values: float) -> dict:
    return {(step + 1) * 5: {"val/psnr": value} for step, value in enumerate(values)}


RECORDS = [
    record("0000", psnr(10, 12, 11)),
    record("0001", {}, "failed"),
    record("0002", psnr(30), "stopped"),
    record("0003", {5: {"val/ssim": 0.5}}, "diverged"),
    record("0004", psnr(12, 5)),
]


@pytest.mark.parametrize(
    ("direction", "order", "best_steps"),
    [
        ("max", ["0002", "0000", "0004", "0001", "0003"], [5, 10, 5, None, None]),
        ("min", ["0004", "0000", "0002", "0001", "0003"], [10, 5, 5, None, None]),
    ],
)
def test_the_best_stand_first_at_their_best_step_and_the_unscored_last(
    direction, order, best_steps
):
    rows = leaderboard(RECORDS, Objective((Goal("val/psnr", direction),)))
    assert [row.trial for row in rows] == order
    assert [row.best_step for row in rows] == best_steps
    assert best(rows).trial == order[0]


def test_a_row_holds_the_metrics_of_its_best_step_and_all_steps_trained():
    row = best(leaderboard([RECORDS[0]], Objective((Goal("val/psnr", "max"),))))
    assert (row.metrics, row.best_step, row.steps) == ({"val/psnr": 12}, 10, 15)
    assert row.seconds == pytest.approx(2.04)


@pytest.mark.parametrize("records", [[], [RECORDS[1]], [RECORDS[1], RECORDS[3]]])
def test_the_best_of_nothing_is_refused(records):
    with pytest.raises(ExperimentError, match="raysweep resume"):
        best(leaderboard(records, Objective((Goal("val/psnr", "max"),))))


def test_a_csv_holds_every_trial_and_every_column(tmp_path):
    records = [
        record("0000", {5: {"val/psnr": 10.5}}, **{"model.ch_mult": [1, 2], "note": 'a, "b"\nc'}),
        record("0001", {5: {"val/psnr": 11.0, "val/ssim": 0.5}}, **{"loss.disc_weight": 0.25}),
        record("0002", {}, "failed"),
    ]
    rows = leaderboard(records, Objective((Goal("val/psnr", "max"),)))
    write_csv(rows, tmp_path / "leaderboard.csv")
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [line["trial"] for line in read] == ["0001", "0000", "0002"]
    assert [line["val/psnr"] for line in read] == ["11.0", "10.5", ""]
    assert [line["val/ssim"] for line in read] == ["0.5", "", ""]
    assert read[0]["loss.disc_weight"] == "0.25"
    assert read[1]["note"] == 'a, "b"\nc'
    assert read[1]["model.ch_mult"] == "[1, 2]"
    assert {line["seconds"] for line in read} == {"2.0"}
    assert [path.name for path in tmp_path.iterdir()] == ["leaderboard.csv"]


def test_a_csv_of_nothing_has_a_heading(tmp_path):
    write_csv([], tmp_path / "leaderboard.csv")
    assert (tmp_path / "leaderboard.csv").read_text().startswith("trial,state,")


PSNR, LPIPS = Goal("val/psnr", "max"), Goal("val/lpips", "min")
USAGE = Constraint("val/code_usage", 0.5, is_minimum=True)


def measured(trial: str, psnr: float, lpips: float, usage: float = 1.0) -> TrialRecord:
    """Its earlier validation was better in all."""
    last = {"val/psnr": psnr, "val/lpips": lpips, "val/code_usage": usage}
    return record(trial, {5: {"val/psnr": 99.0, "val/lpips": 0.0, "val/code_usage": 1.0}, 10: last})


MANY = [
    measured("0000", 20, 0.5),
    measured("0001", 10, 0.1),
    measured("0002", 15, 0.6),
    measured("0003", 30, 0.1, usage=0.25),
    measured("0004", 15, 0.3),
    record("0005", {}, "failed"),
]


def test_of_several_goals_the_front_is_first_and_the_first_goal_decides_within_it():
    rows = leaderboard(MANY, Objective((PSNR, LPIPS), constraints=(USAGE,)))
    assert [row.trial for row in rows] == ["0000", "0004", "0001", "0002", "0003", "0005"]
    assert [row.trial for row in on_front(rows)] == ["0000", "0004", "0001"]
    assert [row.judged.get("front") for row in rows] == [1, 1, 1, 0, 0, None]
    assert [row.best_step for row in rows] == [10] * 5 + [None]
    assert [row.broken for row in rows if row.broken] == [("val/code_usage >= 0.5",)]


def test_a_weighted_score_counts_at_its_best_step():
    rows = leaderboard(MANY, Objective((PSNR, LPIPS), (1.0, 20.0)))
    assert {row.best_step for row in rows[:-1]} == {5}
    assert [row.judged for row in rows] == [{"score": 99.0}] * 5 + [{}]


@pytest.mark.parametrize(
    ("records", "objective"),
    [
        ([], Objective((PSNR, LPIPS))),
        (MANY, Objective((PSNR,))),
        (MANY, Objective((PSNR, LPIPS), (1.0, 1.0))),
        ([MANY[3]], Objective((PSNR, LPIPS), constraints=(USAGE,))),
    ],
)
def test_where_there_is_no_front_it_is_refused(records, objective):
    with pytest.raises(ExperimentError, match="raysweep status"):
        on_front(leaderboard(records, objective))


COLUMNS = [
    (Objective((PSNR,)), []),
    (Objective((PSNR, LPIPS), (1.0, 20.0)), ["score"]),
    (Objective((PSNR, LPIPS), constraints=(USAGE,)), ["front", "violation"]),
]


@pytest.mark.parametrize(("objective", "columns"), COLUMNS)
def test_a_csv_has_the_columns_that_apply(objective, columns, tmp_path):
    write_csv(leaderboard(MANY, objective), tmp_path / "leaderboard.csv")
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [name for name in read[0] if name in ("score", "front", "violation")] == columns
    if "front" in columns:
        told = {line["trial"]: (line["front"], line["violation"]) for line in read}
        assert told["0001"] == ("1", "0.0")
        assert told["0003"] == ("0", "0.5")
        assert told["0005"] == ("", "")
