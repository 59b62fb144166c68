"""Every node of a cluster is asked, in its own process."""

import os

import pytest

from raysweep.cli import main
from raysweep.cluster.nodes import ask, clock_offset, nodes, share

pytestmark = pytest.mark.ray


def sizes(content: bytes, gpus: int) -> tuple[int, int, int]:
    return len(content), gpus, os.getpid()


def test_work_is_done_on_each_node_with_what_was_shared(cluster: str) -> None:
    content = share(b"weights")
    (answer,) = ask(sizes, lambda node: (content, node.gpus))
    assert answer.value is not None
    size, gpus, pid = answer.value
    assert (size, gpus) == (7, nodes()[0].gpus)
    assert pid != os.getpid()


def broken() -> None:
    raise ModuleNotFoundError("No module named 'raysweep'")


def test_a_node_that_cannot_do_it_says_why(cluster: str) -> None:
    (answer,) = ask(broken, lambda node: ())
    assert answer.value is None
    assert "No module named 'raysweep'" in answer.failure


def test_the_clock_of_this_machine_is_this_machine_s(cluster: str) -> None:
    offset = clock_offset(nodes()[0]).value
    assert offset is not None
    assert abs(offset.seconds) <= offset.uncertainty


def test_the_doctor_looks_at_every_node(cluster: str, tmp_path, monkeypatch, capsys) -> None:
    """Its weights are whatever the machine has; all else is as it should be here."""
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    code = main(["doctor", "--storage", str(tmp_path)])
    here, node = capsys.readouterr().out.split(f"node {nodes()[0].address}")
    ok = [line.split()[1] for line in node.splitlines() if line.startswith("ok")]
    assert [check for check in ok if check != "weights"] == [
        *("versions", "gpus", "video", "storage", "disk", "memory", "token", "clock")
    ]
    assert code == (1 if "FAILED" in here + node else 0)
    assert list(tmp_path.iterdir()) == []
