"""The real command on a cluster: killed and run again, it leaves the codes of an uninterrupted run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raysweep.cluster.resources import Capacity, Node
from raysweep.cluster.tokenizing import SHARE, Workers, workers_of
from raysweep.data.preprocessing import Preprocessing
from raysweep.errors import ResourceError
from raysweep.pretrained import load
from tests.data.media import BROKEN, write_video
from tests.tokens.conftest import exported
from tests.tokens.test_making import coded, files_of

SMALL_SHARDS = "from raysweep.tokens import shards; shards.LEAST_BYTES = 1"
MAIN = "from raysweep.cli import main; raise SystemExit(main())"
COMMAND = [sys.executable, "-c", f"{SMALL_SHARDS}; {MAIN}", "tokenize"]


@pytest.mark.ray
def test_killed_and_run_again_it_codes_the_rest(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = exported(tmp_path / "tokenizer")
    for seed in range(5):
        write_video(tmp_path / "films" / f"{seed}.mp4", frames=80, seed=seed)
    (tmp_path / "films" / "bad.avi").write_bytes(BROKEN["noise.avi"])
    words = [*COMMAND, model, "--data", tmp_path / "films", "--out", tmp_path / "out"]
    environment = {**os.environ, "RAY_ADDRESS": cluster}
    _kill_once(words, environment, tmp_path / "out")
    there = {path: path.stat().st_ino for path in (tmp_path / "out" / "codes").iterdir()}
    said = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr
    assert "tokenized 400 frames of 5 videos, 1 skipped" in said.stdout
    assert "skipped bad.avi: " in said.stdout
    assert 0 < len(there) < 6
    assert all(path.stat().st_ino == inode for path, inode in there.items())
    monkeypatch.setattr("raysweep.tokens.shards.LEAST_BYTES", 1)
    coded(load(model), tmp_path / "films", tmp_path / "whole", Preprocessing(resolution=32))
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def _kill_once(words: list[object], environment: dict[str, str], out: Path) -> None:
    """With its process group, once a file is there."""
    command = list(map(str, words))
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    while process.poll() is None:
        if any((out / "codes").glob("*")):
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()


EIGHT_GPUS = Capacity(32, 16, nodes=(Node(16, 8), Node(16, 8)))
PLACES = [
    pytest.param(Capacity(4, 0), None, Workers(4, 0.0), id="no GPU"),
    pytest.param(EIGHT_GPUS, None, Workers(32, SHARE), id="CPUs are fewer than shares of GPUs"),
    pytest.param(EIGHT_GPUS, 1, Workers(16, 1), id="a GPU each"),
    pytest.param(EIGHT_GPUS, 0, Workers(32, 0), id="GPUs left alone"),
    pytest.param(Capacity(8, 1), None, Workers(4, SHARE), id="one GPU shared"),
]


@pytest.mark.parametrize(("capacity", "gpus", "expected"), PLACES)
def test_workers_are_as_many_as_find_a_place(
    capacity: Capacity, gpus: float | None, expected: Workers
) -> None:
    assert workers_of(capacity, gpus) == expected


def test_a_worker_that_finds_no_place_is_refused() -> None:
    with pytest.raises(ResourceError, match=r"takes 1 CPU and 9 GPU of one node, .* Lower --gpus"):
        workers_of(EIGHT_GPUS, 9)
