"""One torch thread: tests are many small tensors, and sums come out the same on every machine. An S3 server of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from raysweep.experiment.mirror import CACHE
from tests.s3_server import KEYS, Server, serving

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def s3(s3_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """For a process that mirrors in an empty folder."""
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return s3_server
