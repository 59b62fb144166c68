"""Confirmation on the command line: what it needs, what it shows, and which trial is best then."""

import json
from pathlib import Path

import pytest
import yaml

from raysweep.commands.confirmation import print_confirmed
from raysweep.commands.standing import standing
from raysweep.config import SweepConfig
from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare
from raysweep.experiment.conductor import Proposal
from raysweep.experiment.confirmed import confirmed as confirmed_of
from raysweep.experiment.layout import Experiment, create
from raysweep.experiment.results import write_csv
from raysweep.search.objective import Goal, Objective
from tests.data.media import write_video
from tests.fakes import driver, execute, small_sweep

SMOKE = ["sweep", "smoke", "--set", "confirm.top=2", "--dry-run"]
SHARE = ["--set", "data.test_fraction=0.2"]
TIME = ["--set", "data.split=time"]
FOLDERS = ["train/a.mp4", "valid/b.mp4"]

# videos there are, and words -> whether something is kept for the test
SPLITS = [
    (["a.mp4", "b.mp4"], ["--data", "videos"], False),
    (["a.mp4", "b.mp4"], ["--data", "videos", *SHARE], True),
    (FOLDERS, ["--data", "videos"], False),
    (FOLDERS, ["--data", "videos", *SHARE], False),
    (FOLDERS, ["--data", "videos", *SHARE, *TIME], True),
    ([*FOLDERS, "test/c.mp4"], ["--data", "videos"], True),
    (
        ["a.mp4", "../more/b.mp4"],
        ["--data", "videos", "--set", "data.validation_source=more", *SHARE],
        False,
    ),
    ([], ["--data", "demo", *SHARE], False),
    ([], ["--data", "demo", *SHARE, *TIME], True),
]


@pytest.mark.parametrize(("files", "words", "is_there"), SPLITS)
def test_without_a_test_split_it_is_refused_before_anything_starts(
    run, folder, files, words, is_there
):
    for name in files:
        write_video(folder / "videos" / name)
    code, _, error = run(*SMOKE, *words)
    assert code == (0 if is_there else 2)
    assert ("Set data.test_fraction=0.1" in error) is not is_there
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("fraction", "code"), [(0.0, 2), (0.2, 0)])
def test_a_store_alone_says_what_it_keeps(run, folder, fraction, code):
    for name in ("a.mp4", "b.mp4"):
        write_video(folder / "videos" / name, frames=40)
    data = DataConfig(source="videos", resolution=32, clip_length=2, test_fraction=fraction)
    prepare("videos", folder / "store", data)
    only = {"source": None, "store": "store", "test_fraction": fraction, "gap": 0}
    assert run(*SMOKE, "--set", f"data={json.dumps(only)}").code == code


@pytest.mark.parametrize(
    ("setting", "pieces"),
    [
        ("confirm.tops=2", ["'tops'", "did you mean 'top'?"]),
        ("confirm.seeds=1", ["confirm.seeds", "1"]),
        ("confirm.seeds=99", ["confirm.seeds", "99"]),
        ("confirm.top=0", ["confirm.top", "0"]),
    ],
)
def test_a_wrong_setting_is_refused(run, setting, pieces):
    code, _, error = run("sweep", "smoke", "--set", setting, "--dry-run")
    assert code == 2
    assert [piece for piece in pieces if piece not in error] == []


def confirmed(folder: Path) -> Experiment:
    """runs/small, played through with three seeds of two finalists; the earliest seed of each is its best."""
    experiment = Experiment(folder / "runs" / "small")
    sweep = small_sweep(confirm={"top": 2, "seeds": 3})
    create(experiment, yaml.safe_dump(sweep.model_dump(mode="json")), None)
    with driver(experiment.events, sweep) as mind:
        execute(mind, formula)
    return experiment


def formula(proposal: Proposal, step: int) -> dict[str, float]:
    weight, seed = proposal.config.loss.disc_weight, proposal.config.seed
    return {"val/psnr": 20 + step * weight - 0.01 * seed, "val/lpips": 1 - weight}


def test_status_shows_the_confirmed_in_order_and_says_what_the_lead_is_worth(run, folder):
    experiment = confirmed(folder)
    first, second = standing(experiment).confirmed
    code, out, _ = run("status", experiment.folder)
    table = out.split("confirmed on the test split")[1]
    assert code == 0
    assert table.index(first.trial) < table.index(second.trial)
    spread = first.figures["val/psnr"]
    assert f"{spread.mean:.3f} ± {spread.deviation:.3f}" in table
    assert f"the lead of {first.trial} over {second.trial} is more than noise: p = 0.050" in out


SEVERAL = (Goal("val/psnr", "max"), Goal("val/lpips", "min"))
# what ranks -> columns of the table, and whether there is a first that leads
OBJECTIVES = [
    (Objective(SEVERAL[:1]), ["test/psnr"], True),
    (Objective(SEVERAL, (1.0, 10.0)), ["test/psnr", "test/lpips", "weighted"], True),
    (Objective(SEVERAL), ["test/psnr", "test/lpips"], False),
]


@pytest.mark.parametrize(("objective", "columns", "leads"), OBJECTIVES)
def test_each_metric_has_a_column_and_a_front_no_first(folder, capsys, objective, columns, leads):
    now = standing(confirmed(folder))
    print_confirmed(confirmed_of(now.trials.values(), objective), objective)
    out = capsys.readouterr().out
    assert [name for name in ("test/psnr", "test/lpips", "weighted") if name in out] == columns
    assert ("the lead of" in out) is leads


def test_best_is_the_winners_seed_that_validates_best(folder):
    now = standing(confirmed(folder))
    seeds = [r for r in now.trials.values() if r.confirms == now.confirmed[0].trial]
    assert now.trial("best").trial == seeds[0].trial  # the lowest seed
    assert seeds[0].reports[20]["val/psnr"] == max(r.reports[20]["val/psnr"] for r in seeds)


def test_before_all_are_confirmed_best_is_the_searchs(folder):
    experiment = confirmed(folder)
    events = experiment.events.read_bytes().splitlines(keepends=True)
    experiment.events.write_bytes(b"".join(events[:-1]))  # the last one has not ended
    assert standing(experiment).trial("best").confirms is None


def test_while_a_better_one_is_not_confirmed_best_is_the_searchs(folder):
    experiment = confirmed(folder)
    with driver(experiment.events, standing(experiment).sweep) as mind:
        mind.add({"loss.disc_weight": 9.0}, "enqueued")
        mind.start("0012")
        mind.report("0012", 5, {"val/psnr": 99.0, "val/lpips": 0.1})
        mind.end("0012")
    assert standing(experiment).trial("best").trial == "0012"


def test_the_csv_has_what_was_tested(folder):
    now = standing(confirmed(folder))
    write_csv(now.leaderboard, folder / "leaderboard.csv")
    heading, *rows = (folder / "leaderboard.csv").read_text().splitlines()
    assert "test/psnr" in heading
    assert len(rows) == 12


def test_a_sweep_without_it_is_read_as_before(folder):
    assert SweepConfig.model_validate({"name": "x"}).confirm is None
