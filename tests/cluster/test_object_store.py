"""A sweep whose experiment lies on an S3 server: its driver is killed, and another machine goes on with it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from raysweep.cli import main
from raysweep.errors import ExperimentError
from raysweep.experiment.events import read
from raysweep.experiment.mirror import CACHE, opened
from raysweep.experiment.records import Records, replay
from raysweep.pretrained import load
from tests.s3_server import Server

pytestmark = pytest.mark.ray
AWAY_SECONDS = 8


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
) -> None:
    """What a trial goes on from, and what is exported, only the server has."""
    bucket = s3_server.new_bucket()
    storage, address = (s3_server.address(f"{bucket}/{path}") for path in ("runs", "runs/smoke"))
    words = ["sweep", "smoke", "--data", videos, "--storage", storage, "--trials", 1]
    words += ["--set", "training.steps=100", "--set", "scheduler.kind=none"]
    monkeypatch.setenv(CACHE, str(tmp_path / "machine"))
    with killed_at_the_end(words, cluster) as driver:
        wait_for_report(address, driver)
    before = records(address)["0000"]
    shutil.rmtree(tmp_path / "machine")

    there = checkpoints_of(s3_server, bucket)
    Thread(target=go_away_in_between, args=(s3_server, bucket, there), daemon=True).start()
    run("resume", address)
    after = records(address)["0000"]
    assert (after.state, after.step) == ("finished", 100)
    assert min(step for step in after.reports if step not in before.reports) > before.step

    left = s3_server.names(f"{bucket}/runs/smoke/trials/0000")
    whole = [name.partition("@")[0] for name in left if name.endswith("state.pt")]
    kept = [f"checkpoint_{step:09d}/state.pt" for step in (95, 100)]
    assert whole == ["best/lpips_random", "best/psnr", *kept]
    run("status", address)
    run("export", address, "--out", tmp_path / "best")
    assert load(tmp_path / "best").encode_video(next((videos / "valid").glob("*.mp4")))


def checkpoints_of(server: Server, bucket: str) -> set[str]:
    names = server.names(f"{bucket}/runs/smoke/trials/0000")
    return {name for name in names if name.startswith("checkpoint_") and name.endswith("state.pt")}


@contextmanager
def killed_at_the_end(words: list[object], cluster: str) -> "Iterator[subprocess.Popen[bytes]]":
    code = "import sys; from raysweep.cli import main; sys.exit(main())"
    driver = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, "RAY_ADDRESS": cluster},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield driver
    finally:
        driver.kill()
        driver.wait()


def wait_for_report(address: str, driver: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        with suppress(ExperimentError):  # not there yet
            if any(record.step for record in records(address).values()):
                return
        assert driver.poll() is None, "the driver ended by itself"
        time.sleep(0.5)
    pytest.fail("no report within two minutes and a half")


def go_away_in_between(server: Server, bucket: str, checkpoints: set[str]) -> None:
    """Once there is a new checkpoint."""
    while not checkpoints_of(server, bucket) - checkpoints:
        time.sleep(0.2)
    with server.away():
        time.sleep(AWAY_SECONDS)
