"""A trial's folder has one process at a time: the next waits for the one before, and takes over from a dead one."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from raysweep.cluster.alone import LEFT_SECONDS, LOCK, alone, clear_left
from raysweep.errors import ExperimentError

forked = multiprocessing.get_context("fork")


def work(folder: Path, seconds: float, began: "multiprocessing.synchronize.Event") -> None:
    with alone(folder):
        (folder / "working").touch()
        began.set()
        time.sleep(seconds)
        (folder / "working").unlink()


def begin(folder: Path, seconds: float) -> "multiprocessing.process.BaseProcess":
    began = forked.Event()
    process = forked.Process(target=work, args=(folder, seconds, began))
    process.start()
    assert began.wait(30)
    return process


def test_the_next_waits_for_the_one_before(tmp_path):
    process = begin(tmp_path, 0.3)
    with alone(tmp_path):
        assert not (tmp_path / "working").exists()
    process.join()


def test_a_killed_one_is_no_hindrance(tmp_path):
    process = begin(tmp_path, 60)
    os.kill(process.pid, signal.SIGKILL)
    with alone(tmp_path):
        assert (tmp_path / "working").exists()
    process.join()


def test_one_that_does_not_end_is_named(tmp_path):
    with (
        alone(tmp_path),
        pytest.raises(ExperimentError, match="End it, then resume"),
        alone(tmp_path, 0.0),
    ):
        pass


def test_a_folder_can_be_worked_in_again_and_again(tmp_path):
    for _ in range(3):
        with alone(tmp_path, 0.0):
            pass


def test_copies_that_nobody_works_in_any_more_are_cleared_away(tmp_path):
    mine, held, left, recent = (tmp_path / name for name in ("mine", "held", "left", "recent"))
    for folder in (mine, held, left, recent):
        folder.mkdir()
        (folder / LOCK).touch()
    process = begin(held, 30)
    long_ago = time.time() - LEFT_SECONDS - 1
    for folder in (mine, held, left):
        os.utime(folder / LOCK, (long_ago, long_ago))
    clear_left(mine)
    assert sorted(tmp_path.iterdir()) == sorted([mine, held, recent])
    process.kill()
    process.join()
