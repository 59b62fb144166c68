"""One Ray cluster for the whole session, with its dashboard, on the CPUs this machine has."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from raysweep.cluster.runtime import connected
from raysweep.data.demo import make_demo_videos
from raysweep.experiment.mirror import CACHE
from tests.cluster.faults import COSTS, FIGURES, table
from tests.s3_server import KEYS

Begin = Callable[..., "subprocess.Popen[bytes]"]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COSTS], config.stash[FIGURES] = [], []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What the faults cost that were injected."""
    costs, figures = config.stash[COSTS], config.stash[FIGURES]
    if costs or figures:
        terminalreporter.section("faults")
    for line in [*(table(costs) if costs else []), *figures]:
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The cluster's address; its processes know the keys of the S3 server, and mirror in a folder of the session."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**KEYS, CACHE: str(cache)}.items():
            patch.setenv(name, value)
        yield from _cluster()


def _cluster() -> Iterator[str]:
    import ray

    scripts = str(Path(sys.executable).parent)  # jobs call `raysweep` by its name
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ["PATH"]])
    with connected():
        yield ray.get_runtime_context().gcs_address


@pytest.fixture
def dashboard(cluster: str) -> str:
    import ray

    return f"http://{ray._private.worker.global_worker.node.address_info['webui_url']}"


@pytest.fixture
def begin(cluster: str) -> Iterator[Begin]:
    """Starts Python code on the cluster, or at another address, in a process that does not outlive the test."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(code: str, *words: object, address: str = cluster) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "RAY_ADDRESS": address}
        command = [sys.executable, "-c", code, *map(str, words)]
        begun.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _a_whole_cluster(request: pytest.FixtureRequest) -> None:
    """Says so where the test before left something running, rather than wait for its CPUs."""
    import ray

    if "cluster" not in request.fixturenames or not ray.is_initialized():
        return
    until = time.monotonic() + 60
    while ray.available_resources().get("CPU") != ray.cluster_resources()["CPU"]:
        assert time.monotonic() < until, "an earlier test's trials still hold CPUs of the cluster"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("videos")
    make_demo_videos(folder, train=4, valid=2, frames=16, size=48)
    return folder
