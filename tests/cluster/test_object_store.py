"""A sweep whose experiment lies on an S3 server: its driver is killed, another machine goes on with it and exports."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raysweep.cli import main
from raysweep.experiment.mirror import CACHE, opened
from raysweep.experiment.records import Records, replay
from raysweep.experiment.events import read
from raysweep.pretrained import load
from tests.s3_server import Server

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


def run(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def records(address: str) -> Records:
    return replay(read(opened(address).events))


def test_a_sweep_on_s3_survives_its_driver_and_a_store_that_is_away(
    cluster: str,
    videos: Path,
    s3_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One trial in its own process, one of a TorchTrainer; both go on from checkpoints that only the server has."""
    bucket = s3_server.new_bucket()
    storage, address = (s3_server.address(f"{bucket}/{path}") for path in ("runs", "runs/smoke"))
    words = ["sweep", "smoke", "--data", videos, "--storage", storage, "--trials", 1]
    words += ["--set", "training.steps=200", "--set", "scheduler.kind=none"]
    code = "import sys; from raysweep.cli import main; sys.exit(main())"
    driver = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, "RAY_ADDRESS": cluster, CACHE: str(tmp_path / "machine")},
        stdout=subprocess.DEVNULL,
    )
    ...
