"""Two sweeps on one cluster: never more trials than it holds, and both to their end, though one is paused in between
and a trial of the other loses its process."""

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import ray

from raysweep.cli import main
from raysweep.experiment.events import Event, read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from tests.cluster.conftest import Begin
from tests.cluster.test_promotion import COMMAND

pytestmark = pytest.mark.ray

BEGINS, ENDS = ("started",), ("suspended", "paused", "ended")


def events_of(experiment: Experiment) -> list[Event]:
    return list(read(experiment.events))


def wait_for(experiment: Experiment, kind: str, driver: "subprocess.Popen[bytes]") -> None:
    while not any(event["kind"] == kind for event in events_of(experiment)):
        assert driver.poll() is None, "the driver ended by itself"
        time.sleep(0.1)


def most_at_once(experiments: list[Experiment]) -> int:
    """Trials of all of them together."""
    events = sorted((e for it in experiments for e in events_of(it)), key=lambda e: e["time"])
    running = most = 0
    for event in events:
        running += (event["kind"] in BEGINS) - (event["kind"] in ENDS)
        most = max(most, running)
    return most


def kill_a_trial(experiment: Experiment) -> None:
    while not (working := list(experiment.trials.glob("*/works"))):
        time.sleep(0.1)
    os.kill(int(working[0].read_text()), signal.SIGKILL)


def test_two_sweeps_share_a_cluster_and_one_is_paused(
    begin: Begin, videos: Path, tmp_path: Path
) -> None:
    cpus = int(ray.cluster_resources()["CPU"])
    sweeps = [Experiment(tmp_path / name) for name in ("one", "other")]
    words = ["sweep", "smoke", "--data", videos, "--storage", tmp_path, "--trials", cpus + 1]
    words += ["--set", "scheduler.kind=none"]
    first = begin(COMMAND, *words, "--name", "one")
    wait_for(sweeps[0], "started", first)  # by when their store is prepared
    other = begin(COMMAND, *words, "--name", "other")
    wait_for(sweeps[1], "started", other)
    assert main(["pause", str(sweeps[0].folder)]) == 0
    kill_a_trial(sweeps[1])
    assert (first.wait(300), other.wait(300)) == (0, 0)
    assert [event["is_lost"] for event in events_of(sweeps[1]) if event["kind"] == "suspended"]
    assert {record.state for record in replay(events_of(sweeps[1])).values()} == {"finished"}
    assert events_of(sweeps[0])[-1]["kind"] == "closed"

    assert begin(COMMAND, "unpause", sweeps[0].folder).wait(300) == 0
    assert most_at_once(sweeps) <= cpus
    for sweep in sweeps:
        trials = replay(events_of(sweep)).values()
        assert [record.state for record in trials] == ["finished"] * (cpus + 1)
        told = Counter((e["trial"], e["step"]) for e in events_of(sweep) if e["kind"] == "report")
        assert set(told.values()) == {1}
        for record in trials:
            done = (sweep.trial(record.trial) / "done").read_text().split()
            assert done == [str(step) for step in record.reports]
    names = [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)]
    assert not [name for name in names if name.startswith("raysweep")]
