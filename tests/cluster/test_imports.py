"""What only starts a trial imports little: a trial's first step waits for it."""

import subprocess
import sys

import pytest

# what a process reads -> what it does without
LEAN = {
    "trainables": ["torchvision", "torch._dynamo", "optuna", "scipy", "raysweep.assemble"],
    "raysweep.cluster.trainer": ["torchvision", "torch._dynamo", "optuna", "scipy"],
    "raysweep.cluster.rank": ["optuna", "scipy", "raysweep.experiment.conductor"],
}


@pytest.mark.parametrize("module", LEAN)
def test_processes_import_what_they_need(module) -> None:
    listing = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not set(LEAN[module]) & set(done.stdout.split())
