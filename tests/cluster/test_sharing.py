"""Two trials that read a store in shared memory take little more memory than one."""

import os
from pathlib import Path

import pytest
import ray

from raysweep.cluster.footage import in_shared_memory
from tests.data.footprint import FRAMES, SOURCES, cost, make_store, read_everything, require_shared

pytestmark = pytest.mark.ray


class Trial:
    def __init__(self, footage) -> None:
        self.reader, self.manifest = footage.reader(), footage.manifest

    def pid(self) -> int:
        return os.getpid()

    def read(self) -> int:
        return read_everything(self.reader, self.manifest)


def test_a_second_trial_views_the_same_memory(cluster: str, tmp_path: Path) -> None:
    footage = in_shared_memory(make_store(tmp_path))
    trials = [ray.remote(num_cpus=0)(Trial).remote(footage) for _ in range(2)]
    pids = ray.get([trial.pid.remote() for trial in trials])

    def read(trial) -> None:
        assert ray.get(trial.read.remote()) == SOURCES * FRAMES

    first, second = (
        cost(pid, "plasma", lambda trial=trial: read(trial))
        for pid, trial in zip(pids, trials, strict=True)
    )
    require_shared(first, second)
