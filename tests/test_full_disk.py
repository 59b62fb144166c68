"""Promises about a disk that is full: one line that says where, what was there stays, and it goes on once there is room."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from raysweep.cluster import worker
from raysweep.data import DataConfig
from raysweep.data.demo import make_demo_videos
from raysweep.data.storing.store import prepare
from raysweep.errors import StorageError
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.journal import KeptJournal
from raysweep.experiment.layout import Experiment
from raysweep.training import checkpoint
from tests.fakes import driver, execute
from tests.small_disk import fill, small_disk
from tests.tiny import tiny_parts


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=2) as folder:
        yield folder


def test_the_event_log_stays_whole_and_goes_on(disk):
    path = disk / "events.jsonl"
    with EventLog(path) as log:
        log.append("proposed", "0000")
        ballast = fill(disk)
        refusal = f"needs room, and the disk or quota of {path} is full"
        with pytest.raises(StorageError, match=refusal):
            append_for_ever(log)
        assert path.read_bytes().endswith(b"\n")
        before = list(read(path))
        ballast.unlink()
        log.append("ended", "0000")
    assert [event["kind"] for event in read(path)] == [*(e["kind"] for e in before), "ended"]


def append_for_ever(log: EventLog) -> None:
    while True:
        log.append("report", "0000", metrics={"val/psnr": 1.0})


def test_the_sweep_goes_on_without_its_journal(disk, tmp_path):
    said: list[str] = []
    with (
        driver(tmp_path / "events.jsonl") as mind,
        closing(KeptJournal(Experiment(disk), mind, {}, said.append)) as journal,
    ):
        fill(disk)
        mind.listener = journal
        execute(mind)
        assert mind.is_over
    (told,) = said
    assert "cannot be written" in told


def test_the_checkpoint_that_was_there_stays_and_a_half_one_goes(disk, tmp_path):
    state, made = tiny_parts().state, tmp_path / "made"
    first, second = (made / f"checkpoint_{step:09d}" for step in (5, 10))
    for folder in (first, second):
        checkpoint.save(folder, state, {"val/psnr": 1.0}, {})
    (disk / "trial").mkdir()
    worker.keep_checkpoint(disk / "trial", first)
    fill(disk)
    with pytest.raises(StorageError, match=f"{disk}/trial/{second.name} is full"):
        worker.keep_checkpoint(disk / "trial", second)
    assert [path.name for path in (disk / "trial").iterdir()] == [first.name]
    assert checkpoint.load(disk / "trial" / first.name)["step"] == state.step


def test_a_checkpoint_that_cannot_be_saved_says_why(disk):
    fill(disk)
    with pytest.raises(StorageError, match=f"{disk}/checkpoint_000000005 is full"):
        checkpoint.save(disk / "checkpoint_000000005", tiny_parts().state, {}, {})


def test_prepare_ends_with_one_line_and_goes_on_once_there_is_room(disk, tmp_path):
    make_demo_videos(tmp_path / "videos", train=4, valid=2, frames=32, size=48)
    ballast = fill(disk)
    data = DataConfig(resolution=32)
    with pytest.raises(StorageError, match=f"the disk or quota of {disk}/store.* is full"):
        prepare(str(tmp_path / "videos"), disk / "store", data)
    ballast.unlink()
    manifest = prepare(str(tmp_path / "videos"), disk / "store", data)
    assert [record.error for record in manifest.records] == [None] * 6
