"""A sweep that starts from earlier experiments: what compares is known, told in a line, and nothing else changes."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from raysweep.cluster.footage import in_files
from raysweep.cluster.resources import Capacity
from raysweep.commands.footage import default_store
from raysweep.commands.standing import standing
from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from tests.data.media import write_video
from tests.fakes import by_weight, execute

SPACE = """
def space(trial):
    trial.suggest_categorical("data.batch_size", [4, 8])
    trial.suggest_float("loss.disc_weight", 0.1, {high})
"""
SWEEP = ["--data", "videos", "--set=loss.perceptual_init=random", "--set=data.resolution=32"]
SWEEP += ["--set=scheduler.kind=none", "--set=training.steps=20", "--trials=4"]
SWEEP += ["--set=training.validate_every=5", "--set=model.ch_mult=[1,1,1]"]
WARM = ["sweep", "narrow.py", *SWEEP, "--warm-start", "runs/wide"]


@pytest.fixture(autouse=True)
def _loop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two videos, two spaces, and a plain loop where Ray would be."""
    from raysweep.commands import sweep

    monkeypatch.setattr(sweep, "connected", nullcontext)
    monkeypatch.setattr(sweep, "prepared", lambda data, storage: store())
    monkeypatch.setattr(sweep, "placed", lambda store, reading, tell: in_files(store))
    monkeypatch.setattr(sweep, "execute", lambda conductor, *_, room: execute(conductor, by_weight))
    monkeypatch.setattr(sweep.resources, "cluster_capacity", lambda: Capacity(2, 0))
    (folder / "wide.py").write_text(SPACE.format(high=1.0))
    (folder / "narrow.py").write_text(SPACE.format(high=0.55))
    for seed, name in enumerate(("a.mp4", "b.mp4")):
        write_video(folder / "videos" / name, 60, seed=seed)


def store() -> Path:
    data = DataConfig(source="videos", resolution=32)
    where = default_store(data, Path("runs"))
    prepare("videos", where, data)
    return where


@pytest.fixture
def wide(run, folder: Path) -> Experiment:
    assert run("sweep", "wide.py", *SWEEP).code == 0
    return Experiment(folder / "runs" / "wide")


def test_results_that_compare_are_known_and_told(run, wide, folder):
    code, out, _ = run(*WARM)
    narrow = Experiment(folder / "runs" / "narrow")
    inside = [
        f"{wide.folder}/{record.trial}"
        for record in standing(wide).trials.values()
        if record.params["loss.disc_weight"] <= 0.55
    ]
    assert code == 0
    assert 0 < len(inside) < 4
    told = f"{len(inside)} trials are known, {4 - len(inside)} are of no use (000"
    assert f"warm start from {wide.folder}: {told}" in out
    events = list(read(narrow.events))
    assert [event["source"] for event in events if event["kind"] == "known"] == inside
    assert [event["kind"] for event in events[:2]] == ["opened", "known"]
    assert [row.trial for row in standing(narrow).leaderboard if row.score] != []
    assert list(standing(narrow).trials) == ["0000", "0001", "0002", "0003"]
    assert narrow.leaderboard.read_text().count("\n") == 5


def test_a_sweep_that_goes_on_does_without_the_earlier_one(run, wide, folder):
    assert run(*WARM).code == 0
    events = Experiment(folder / "runs" / "narrow").events
    kept = [line for line in events.read_text().splitlines(keepends=True) if '"0003"' not in line]
    events.write_text("".join(kept))
    wide.sweep_file.unlink()
    assert run("resume", "runs/narrow").code == 0
    known = [event for event in read(events) if event["kind"] == "known"]
    assert len({event["source"] for event in known}) == len(known) > 0


def other_frames(wide: Experiment) -> None:
    facts = json.loads(wide.validation_file.read_text())
    facts["fingerprint"]["frames"] = "0" * 64
    wide.validation_file.write_text(json.dumps(facts))


def nothing_recorded(wide: Experiment) -> None:
    wide.validation_file.write_text("{}")


def other_network(wide: Experiment) -> None:
    facts = json.loads(wide.validation_file.read_text())
    facts["fingerprint"]["weights"] = {"val/lpips_random": "another"}
    wide.validation_file.write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("change", "words", "more"),
    [
        (other_frames, "scores on other frames", []),
        (nothing_recorded, "has not recorded what it scores on", []),
        (other_network, "or with other networks", ["--set", "objective=lpips"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("has_store", [True, False])
def test_scores_that_do_not_compare_are_refused(run, wide, folder, change, words, more, has_store):
    change(wide)
    if not has_store:
        (store() / "manifest.json").unlink()
    code, _, error = run(*WARM, *more)
    assert code == 2
    assert words in error
    assert "Give its best settings as `points` instead" in error
    assert error.count("\n") == 1
    assert not (folder / "runs" / "narrow").exists()


def test_another_network_is_no_matter_where_another_metric_ranks(run, wide):
    other_network(wide)
    assert run(*WARM).code == 0


def test_what_is_no_experiment_is_refused(run):
    code, out, error = run("sweep", "narrow.py", *SWEEP, "--warm-start", "absent")
    assert (code, out) == (2, "")
    assert "absent is not an experiment" in error


def test_points_are_written_in_the_config_file(run, folder):
    (folder / "points.yaml").write_text("points: [{loss.disc_weight: 0.125}]")
    assert run("sweep", "wide.py", *SWEEP, "--config", "points.yaml").code == 0
    trials = standing(Experiment(folder / "runs" / "wide")).trials
    assert trials["0000"].params["loss.disc_weight"] == 0.125
    (folder / "points.yaml").write_text("points: [{loss.disc_weight: 12}]")
    code, _, error = run("sweep", "wide.py", *SWEEP, "--config", "points.yaml", "--name", "other")
    assert code == 2
    assert "loss.disc_weight 12 is outside 0.1 to 1" in error


def test_a_warm_start_that_leaves_nothing_to_try_says_so(run, folder):
    few = 'def space(trial):\n    trial.suggest_categorical("data.batch_size", [4, 8])\n'
    for name in ("wide", "narrow"):
        (folder / f"{name}.py").write_text(few)
    assert run("sweep", "wide.py", *SWEEP).code == 0
    code, out, error = run(*WARM)
    assert code == 1
    assert "2 trials are known" in out
    assert "nothing was left to try" in error
