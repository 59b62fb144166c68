"""Threads of a worker's libraries are as many as its CPUs."""

import os
from collections.abc import Iterator

import cv2
import pytest
import torch

from raysweep.cluster.threads import limit_threads


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TORCHINDUCTOR_COMPILE_THREADS", raising=False)
    before = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])
    os.environ.pop("TORCHINDUCTOR_COMPILE_THREADS", None)


@pytest.mark.parametrize("cpus", [1, 3])
def test_all_libraries_are_told(cpus):
    limit_threads(cpus)
    told = os.environ["TORCHINDUCTOR_COMPILE_THREADS"]
    assert (torch.get_num_threads(), cv2.getNumThreads(), told) == (cpus, cpus, str(cpus))
