"""Torn checkpoints and torn lists of them are put out of sight; whole ones stay."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from raysweep.cluster import worker
from raysweep.cluster.mending import TRAINS_LIST, mend
from raysweep.training import checkpoint
from tests.tiny import tiny_parts

OLDER, NEWER, LOST = (f"checkpoint_{step:09d}" for step in (5, 10, 15))
"""LOST is on no list: saved by a process that was killed before it could tell."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("saved")
    checkpoint.save(folder, tiny_parts().state, {"val/psnr": 20.0}, {})
    return folder


@pytest.fixture
def trial(saved: Path, tmp_path: Path) -> Path:
    for name in (OLDER, NEWER, LOST):
        checkpoint.replace_folder(saved, tmp_path / name)
    return tmp_path


def write_list(trial: Path, *names: str) -> None:
    results = [{"checkpoint_dir_name": name} for name in names]
    (trial / TRAINS_LIST).write_text(json.dumps({"checkpoint_results": results}))


def shortened(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def changed_in_one_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


TEARS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "no state": ("state.pt", Path.unlink),
    "the end of the state is missing": ("state.pt", shortened),
    "an empty state": ("state.pt", emptied),
    "a byte of the state is another": ("state.pt", changed_in_one_byte),
    "no metrics": ("metrics.json", Path.unlink),
    "empty metrics": ("metrics.json", emptied),
}


@pytest.mark.parametrize(("file", "tear"), TEARS.values(), ids=TEARS)
@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "not listed"])
def test_the_trial_goes_on_from_the_checkpoint_before_a_torn_one(trial, file, tear, is_listed):
    checkpoint.remove_folder(trial / LOST)
    if is_listed:
        write_list(trial, OLDER, NEWER)
    tear(trial / NEWER / file)
    mend(trial)
    assert worker.latest_checkpoint(trial) == trial / OLDER
    assert checkpoint.saved_metrics(trial / OLDER) == {"val/psnr": 20.0}
    assert not (trial / TRAINS_LIST).exists()


def test_of_whole_checkpoints_those_on_the_list_stay(trial):
    write_list(trial, OLDER, NEWER)
    mend(trial)
    assert {path.name for path in trial.iterdir()} == {OLDER, NEWER, TRAINS_LIST}


@pytest.mark.parametrize("text", ["", '{"checkpoint_results": [{"checkpoint_dir', "{}", "[]"])
def test_a_torn_list_is_no_list(trial, text):
    (trial / TRAINS_LIST).write_text(text)
    mend(trial)
    assert worker.latest_checkpoint(trial) == trial / LOST
    assert not (trial / TRAINS_LIST).exists()


def test_a_list_that_names_what_is_gone_is_no_list(trial):
    write_list(trial, OLDER, "checkpoint_gone")
    mend(trial)
    assert worker.latest_checkpoint(trial) == trial / LOST
    assert not (trial / TRAINS_LIST).exists()


def test_a_folder_without_checkpoints_stays_as_it_is(tmp_path):
    mend(tmp_path)
    assert worker.latest_checkpoint(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_the_last_checkpoints_are_kept(saved, tmp_path):
    for step in range(5, 30, 5):
        made = tmp_path / "made" / f"checkpoint_{step:09d}"
        checkpoint.replace_folder(saved, made.parent.parent / made.name)
        worker.keep_checkpoint(tmp_path / "trial", tmp_path / made.name)
    left = sorted(path.name for path in (tmp_path / "trial").iterdir())
    assert left == ["checkpoint_000000020", "checkpoint_000000025"]
