"""Promises of the real command and job: killed and run again, and with files that end their worker."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from raysweep.cluster.pipeline import on_all_nodes
from raysweep.data import DataConfig
from raysweep.data.sources.discover import Source
from raysweep.data.storing.manifest import SourceRecord
from raysweep.data.storing.store import prepare
from tests.data.media import BROKEN, write_video
from tests.data.stores import contents

pytestmark = pytest.mark.ray

Work = Callable[[Source], SourceRecord]
CONFIG = DataConfig(resolution=32)
RAYSWEEP = [sys.executable, "-c", "from raysweep.cli import main; raise SystemExit(main())"]


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    for seed in range(6):
        write_video(folder / f"{seed}.mp4", frames=400, width=320, height=240, seed=seed)
    for name, junk in BROKEN.items():
        (folder / name).write_bytes(junk)
    return folder


def test_the_command_killed_and_run_again_makes_the_store_of_an_uninterrupted_run(
    cluster: str, footage: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    words = ["prepare", "--data", footage, "--set", "data.resolution=32"]
    command = [*RAYSWEEP, *map(str, words), "--set", f"data.store={store}"]
    environment = {**os.environ, "RAY_ADDRESS": cluster}
    for kept in (0, 2):
        _kill_once(command, environment, store, kept)
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr
    assert "6 videos, 4 skipped, 2,400 frames" in said.stdout
    assert "skipped zero.mp4: the file is empty" in said.stdout
    prepare(footage, tmp_path / "whole", CONFIG)
    time.sleep(1)  # for a task that a kill left behind
    assert contents(store) == contents(tmp_path / "whole")
    assert sorted(path.name for path in store.iterdir()) == ["frames", "manifest.json"]


def _kill_once(command: list[str], environment: dict[str, str], store: Path, finished: int) -> None:
    """With its process group, a moment after so many shards are finished, or at its end."""
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    while process.poll() is None:
        is_at_work = any(store.glob(".parts-*/*"))
        if is_at_work and len(list(store.glob("frames/*.json"))) >= finished:
            time.sleep(random.uniform(0, 0.3))
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()


def test_a_file_that_ends_its_worker_is_bad_and_the_others_are_not(
    cluster: str, footage: Path, tmp_path: Path
) -> None:
    def run(one: Work, sources: Iterable[Source]) -> Iterator[SourceRecord]:
        def with_a_reader_that_dies(source: Source) -> SourceRecord:
            from raysweep.data.decoding.decode import READERS  # the worker's own

            READERS[".fatal"] = lambda path, lacks: os._exit(1)  # type: ignore[index]
            return one(source)

        return on_all_nodes(with_a_reader_that_dies, sources)

    (footage / "3.mp4").rename(footage / "3.fatal")
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(str(path) for path in footage.iterdir()))
    manifest = prepare(listed, tmp_path / "store", CONFIG, run)
    reasons = {skipped.name: skipped.error for skipped in manifest.skipped}
    assert reasons.keys() == {*BROKEN, "3.fatal"}
    assert "the process that decoded it died" in reasons["3.fatal"]
    assert manifest.counts.frames == 5 * 400
