"""What a sweep tells Prometheus, read where Prometheus reads it: at the node, while the sweep runs."""

import re
import time
import urllib.request
from pathlib import Path
from threading import Event, Thread

import pytest
import ray

from raysweep.cli import main
from raysweep.cluster.metrics import BEST_SCORE, OF_A_TRIAL, STEPS, TRIALS

pytestmark = pytest.mark.ray

EXPORTED_WITHIN_SECONDS = 60.0


def exported() -> set[tuple[str, str]]:
    """Names of ours at the one node, each with the tag that tells its series apart."""
    (node,) = ray.nodes()
    url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as page:
        lines = page.read().decode().splitlines()
    ours = [line for line in lines if 'experiment="watched"' in line]
    return {(line.partition("{")[0].removeprefix("ray_"), told(line)) for line in ours}


def told(line: str) -> str:
    found = re.search(r'\b(?:trial|state|by)="([^"]*)"', line)
    return "" if found is None else found.group(1)


EXPECTED = {
    (TRIALS, "running"),
    (TRIALS, "finished"),
    (BEST_SCORE, "val/psnr"),
    (STEPS, ""),
    *((name, "0000") for name, _ in OF_A_TRIAL.values()),
}


def test_a_sweep_and_its_trials_are_exported(cluster: str, videos: Path, tmp_path: Path) -> None:
    seen: set[tuple[str, str]] = set()
    is_over = Event()

    def watch() -> None:
        while not is_over.wait(1):
            seen.update(exported())

    watcher = Thread(target=watch)
    watcher.start()
    settings = ["training.steps=200", "training.validate_every=100", "scheduler.kind=none"]
    words = [word for setting in settings for word in ("--set", setting)]
    at = ["--data", str(videos), "--storage", str(tmp_path), "--name", "watched"]
    try:
        assert main(["sweep", "smoke", *at, *words, "--trials", "1"]) == 0
        until = time.monotonic() + EXPORTED_WITHIN_SECONDS
        while not seen >= EXPECTED and time.monotonic() < until:
            time.sleep(1)
    finally:
        is_over.set()
        watcher.join()
    assert seen >= EXPECTED
