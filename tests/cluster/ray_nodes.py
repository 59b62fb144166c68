"""A Ray cluster of several nodes on this machine, beside the session's: each can die as a machine does."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ray._private.utils import set_kill_on_parent_death_linux
from ray.util.state import list_nodes
from ray.util.state.exception import RayStateApiException

from raysweep.cluster.runtime import DRIVER_RESOURCE
from tests.cluster.processes import children, parents, title

PATIENCE_SECONDS = 120.0
OBJECT_STORE_BYTES = 200_000_000
NO_OTHER_FAULTS = {"RAY_memory_monitor_refresh_ms": "0"}
"""What else runs on this machine may fill its memory: no reason for Ray to kill a process."""


class RayNode:
    """`ray start --block`, whose group of processes is all that Ray runs on the node."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *words]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **NO_OTHER_FAULTS, **environment},
            start_new_session=True,
            preexec_fn=set_kill_on_parent_death_linux,  # also of a test that is killed itself
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def holds(self, process: int) -> bool:
        return self._process.pid in parents(process)

    def kill(self) -> None:
        """As a machine whose power is cut."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_raylet(self) -> None:
        """Its workers end by themselves, when they miss it."""
        (raylet,) = [pid for pid in children(self._process.pid) if "raylet/raylet" in title(pid)]
        os.kill(raylet, signal.SIGKILL)

    def give_notice(self) -> None:
        """As a cloud does that is about to take a machine away, or Kubernetes a pod: Ray drains the node."""
        self._process.terminate()

    def wait(self) -> None:
        self._process.wait(PATIENCE_SECONDS)


class RayCluster:
    """`environment`: of every process of its nodes."""

    def __init__(self, scratch: Path, environment: dict[str, str]) -> None:
        self._scratch, self._environment = scratch, environment
        self._port, self._dashboard_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self._port}"
        self.nodes: list[RayNode] = []

    def start_head(self, cpus: int = 0) -> RayNode:
        """May be started again, once it was killed."""
        words = ["--head", f"--port={self._port}", f"--temp-dir={self._scratch}"]
        words += ["--include-dashboard=true", f"--dashboard-port={self._dashboard_port}"]
        words += [f"--ray-client-server-port={free_port()}", "--disable-usage-stats"]
        return self._start(cpus, *words, f'--resources={{"{DRIVER_RESOURCE}": 1000}}')

    def add_node(self, cpus: int = 1) -> RayNode:
        return self._start(cpus, f"--address={self.address}")

    @contextmanager
    def two_more(self) -> Iterator[tuple[RayNode, RayNode]]:
        """Of a CPU each, for the duration."""
        before = self._alive()
        two = self.add_node(), self.add_node()
        try:
            yield two
        finally:
            for node in two:
                node.kill()
            self._wait(lambda: self._alive() <= before)

    def _start(self, cpus: int, *words: str) -> RayNode:
        before = self._alive()
        common = [f"--num-cpus={cpus}", "--num-gpus=0", "--node-ip-address=127.0.0.1"]
        common += [f"--object-store-memory={OBJECT_STORE_BYTES}"]
        common += [f"--dashboard-agent-listen-port={free_port()}"]
        common += ["--min-worker-port=0", "--max-worker-port=0"]
        self.nodes.append(RayNode([*common, *words], self._environment))
        self._wait(lambda: not self._alive() <= before)
        return self.nodes[-1]

    def _wait(self, is_there: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_there():
            assert time.monotonic() < until, "a node did not join, or did not leave"
            time.sleep(0.5)

    def _alive(self) -> set[str]:
        """Names of nodes; none where no head answers."""
        with suppress(RayStateApiException):
            url = f"http://127.0.0.1:{self._dashboard_port}"
            alive = list_nodes(url, [("state", "=", "ALIVE")], raise_on_missing_output=False)
            return {node.node_id for node in alive}  # Ray counts the dead ones as missing
        return set()


@contextmanager
def ray_cluster(**environment: str) -> Iterator[RayCluster]:
    with TemporaryDirectory(prefix="ray-", dir="/tmp") as scratch:  # sockets want a short path
        cluster = RayCluster(Path(scratch), environment)
        try:
            yield cluster
        finally:
            for node in reversed(cluster.nodes):
                node.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
