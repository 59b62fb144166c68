"""`ray up`, `ray job submit` and `ray down` over SSH, to three machines: `make test-cluster`."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from raysweep.commands.standing import standing
from raysweep.experiment.layout import open_experiment
from tests.hosts.machine import HOME, REPOSITORY, SHARED, Machine, machines
from tests.hosts.ssh import KEY, connect

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1200)]

CLUSTER = str(HOME / "machines.yaml")
DASHBOARD = "http://127.0.0.1:8265"
SMALL = "--object-store-memory=200000000"
"""Bytes: the machines share one memory, of which Ray would take its usual part for each."""


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[Machine]]:
    """A laptop, a head and two workers; the laptop has what a person makes by hand."""
    with machines(tmp_path, ["laptop", "head", "worker-1", "worker-2"]) as made:
        laptop, *servers = made
        connect(laptop, servers)
        laptop.run("ray", "get-auth-token", "--generate")
        laptop.run("tee", CLUSTER, text=yaml.safe_dump(_cluster(servers)))
        yield made


def _cluster(servers: list[Machine]) -> dict[str, Any]:
    """`deploy/machines.yaml` as a person fills it in, for machines where everything is installed already.

    A worker gives one CPU, so that a trial of two workers needs both.
    """
    head, *workers = servers
    asked: dict[str, Any] = yaml.safe_load((REPOSITORY / "deploy/machines.yaml").read_text())
    asked["provider"] |= {"head_ip": head.address, "worker_ips": [w.address for w in workers]}
    asked["auth"] = {"ssh_user": "root", "ssh_private_key": str(KEY)}
    asked["setup_commands"] = []
    asked["head_start_ray_commands"][-1] += f" {SMALL}"
    asked["worker_start_ray_commands"][-1] += f" --num-cpus=1 {SMALL}"
    return asked


def test_a_trials_workers_train_on_two_machines(hosts: list[Machine], tmp_path: Path) -> None:
    laptop, head, *workers = hosts
    laptop.run("env", "RAY_UP_enable_autoscaler_v2=0", "ray", "up", "--yes", CLUSTER)
    laptop.start(f"ray dashboard {CLUSTER}")
    _wait(
        laptop, f"ray list nodes --address {DASHBOARD} --format json | grep -o node_ip | wc -l", "3"
    )

    sweep = f"raysweep sweep smoke --trials 2 --name hosts --storage {SHARED}/runs"
    settings = "--set cluster.workers=2 --set training.steps=10"
    submit = f"ray job submit --address {DASHBOARD} -- {sweep} {settings}"
    laptop.run(*submit.split())

    now = standing(open_experiment(tmp_path / "shared" / "runs" / "hosts"))
    assert [record.state for record in now.trials.values()] == ["finished", "finished"]
    where = _actors(laptop)
    assert where["RayTrainWorker"] == {worker.address: 2 for worker in workers}
    assert where["ImplicitFunc"] == {head.address: 2}  # what Tune calls a trial's driver

    laptop.run("ray", "down", "--yes", CLUSTER)
    for server in (head, *workers):  # those without a head end after a minute
        _wait(server, "ps -e | grep -c raylet", "0")


def _wait(machine: Machine, command: str, answer: str) -> None:
    machine.run("bash", "-c", f'until [ "$({command})" = {answer} ]; do sleep 1; done')


def _actors(laptop: Machine) -> dict[str, Counter[str]]:
    """How many of each class lived at each address."""
    nodes, actors = (
        json.loads(laptop.run("ray", "list", what, "--address", DASHBOARD, "--format", "json"))
        for what in ("nodes", "actors")
    )
    address = {node["node_id"]: node["node_ip"] for node in nodes}
    counts: dict[str, Counter[str]] = {}
    for actor in actors:
        counts.setdefault(actor["class_name"], Counter())[address[actor["node_id"]]] += 1
    return counts
