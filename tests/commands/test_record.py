"""What ranks an experiment's trials is recorded when it begins, and they are held to it ever after."""

import json
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from raysweep.cluster.footage import in_files
from raysweep.cluster.resources import Capacity
from raysweep.commands.footage import default_store
from raysweep.commands.standing import standing
from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare
from raysweep.experiment.layout import Experiment
from tests.data.media import write_video
from tests.fakes import execute

SPACE = """
def space(trial):
    trial.suggest_categorical("data.batch_size", [4, 8])
    trial.suggest_categorical("data.max_clips_per_source", [1, 2])
    return {}
"""
RARE = """
    if trial.number == 1 and __file__.endswith("/space.py"):  # the experiment's copy, once it has begun
        return {"data.stride": 2}
"""
SWEEP = ["--data", "videos", "--set=loss.perceptual_init=random", "--set=data.resolution=32"]
SWEEP += ["--set=scheduler.kind=none", "--set=training.steps=20", "--trials=3"]
SWEEP += ["--set=training.validate_every=5", "--set=model.ch_mult=[1,1,1]"]
CHANGED = "the validation frames that it began with"


@pytest.fixture(autouse=True)
def _loop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two videos and their store, a space, and a plain loop where Ray would be."""
    from raysweep.commands import sweep

    monkeypatch.setattr(sweep, "connected", nullcontext)
    monkeypatch.setattr(sweep, "placed", lambda store, reading, tell: in_files(store))
    monkeypatch.setattr(sweep, "execute", lambda conductor, *_, room: execute(conductor))
    monkeypatch.setattr(sweep.resources, "cluster_capacity", lambda: Capacity(2, 0))
    (folder / "often.py").write_text(SPACE)
    (folder / "rare.py").write_text(SPACE.replace("\n    return {}\n", RARE + "    return {}\n"))
    for seed, name in enumerate(("a.mp4", "b.mp4")):
        write_video(folder / "videos" / name, 60, seed=seed)
    store()


def store() -> Path:
    data = DataConfig(source="videos", resolution=32)
    where = default_store(data, Path("runs"))
    prepare("videos", where, data)
    return where


def facts(experiment: Experiment) -> Mapping[str, Any]:
    return json.loads(experiment.validation_file.read_text())


@pytest.fixture
def begun(run, folder: Path) -> Experiment:
    assert run("sweep", "often.py", *SWEEP).code == 0
    return Experiment(folder / "runs" / "often")


def other_footage() -> None:
    """In place of the old, prepared."""
    shutil.rmtree("runs/stores")
    write_video(Path("videos/b.mp4"), 60, seed=5)
    store()


def test_an_experiment_records_its_fingerprint_and_what_else_validates(run, begun):
    recorded = facts(begun)
    assert len(recorded["fingerprint"]["frames"]) == 64
    assert recorded["fingerprint"]["weights"].keys() == {"val/lpips_random"}
    assert (recorded["validation_clips"], recorded["test_clips"]) == (2, 0)
    assert {r.state for r in standing(begun).trials.values()} == {"finished"}


def test_a_test_split_is_counted_and_told(run, folder):
    words = ["--set=data.test_fraction=0.1", "--set=data.gap=0", "--name=tests"]
    code, out, _ = run("sweep", "often.py", *SWEEP, *words)
    assert code == 0
    assert "2 to validate on, 2 kept for a final test" in out
    assert facts(Experiment(folder / "runs" / "tests"))["test_clips"] == 2


def test_going_on_with_the_same_footage_is_fine(run, begun):
    before = facts(begun)
    shutil.rmtree("runs/stores")
    store()
    assert run("resume", begun.folder).code == 0
    assert facts(begun) == before


@pytest.mark.parametrize("words", [["resume"], ["train", "--from"]], ids=str)
def test_going_on_with_other_footage_is_refused_and_changes_nothing(run, begun, words):
    before = facts(begun)
    other_footage()
    code, out, error = run(*words, begun.folder)
    assert (code, out) == (2, "")
    assert CHANGED in error
    assert error.count("\n") == 1
    assert facts(begun) == before
    assert len(standing(begun).trials) == 3


def test_footage_that_is_prepared_on_the_way_is_compared_too(run, begun, monkeypatch):
    from raysweep.commands import sweep

    before = facts(begun)
    write_video(Path("videos/b.mp4"), 60, seed=5)
    shutil.rmtree("runs/stores")
    monkeypatch.setattr(sweep, "prepared", lambda data, storage: store())
    code, _, error = run("resume", begun.folder, "--trials", "1")
    assert code == 2
    assert CHANGED in error
    assert facts(begun) == before


def test_more_footage_to_train_on_alone_compares(run, folder):
    for name in ("train/a.mp4", "train/b.mp4", "valid/c.mp4"):
        write_video(folder / "videos" / name, 20)
    shutil.rmtree("runs/stores")
    store()
    assert run("sweep", "often.py", *SWEEP).code == 0
    write_video(folder / "videos" / "train/d.mp4", 20)
    shutil.rmtree("runs/stores")
    store()
    assert run("resume", "runs/often").code == 0


def test_an_experiment_of_before_goes_on_and_records(run, begun):
    recorded = facts(begun)
    begun.validation_file.write_text(json.dumps({"mean_colour_psnr": 10.0}))
    assert run("resume", begun.folder, "--trials", "1").code == 0
    assert facts(begun) == recorded


@pytest.mark.parametrize("change", ["data.clip_length=4", "data.gap=3"])
def test_a_further_trial_on_other_frames_is_refused(run, begun, change):
    code, out, error = run("train", "--from", begun.folder, "--set", change, "--dry-run")
    assert (code, out) == (2, "")
    assert f"{change.split('=')[0]} decides which" in error


def test_a_further_trial_that_trains_in_another_way_is_added(run, begun):
    words = ["--set=data.random_start=true", "--set=data.batch_size=2"]
    assert run("train", "--from", begun.folder, *words).code == 0
    assert len(standing(begun).trials) == 4


def test_a_proposal_that_nobody_foresaw_fails_by_itself(run, folder):
    assert run("sweep", "rare.py", *SWEEP).code == 0
    trials = standing(Experiment(folder / "runs" / "rare")).trials
    assert [record.state for record in trials.values()] == ["finished", "failed", "finished"]
    assert CHANGED in trials["0001"].reason
