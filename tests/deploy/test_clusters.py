"""The files that make clusters: Ray and KubeRay take them, and each keeps the promises of docs/cluster.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

from raysweep.cluster.runtime import DRIVER_RESOURCE

ROOT = Path(__file__).parents[2]
CLOUDS = ["cluster.yaml", "deploy/gcp.yaml"]
LAUNCHED = [*CLOUDS, "deploy/machines.yaml"]
"""What `ray up` takes."""
JOB = "deploy/rayjob.yaml"
INSTALLED = (
    *("pyproject.toml", "constraints.txt", "README.md", "deploy"),
    *("raysweep", "search_spaces", "trainables"),
)
"""What `deploy/install.sh` needs of the repository: what pip does, and itself."""
SECRETS = [
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",  # a key of AWS
    r"-----BEGIN",  # a private key
    r"\b[0-9a-f]{40,}\b",  # a token of Ray and of many others
    r"(?i)(password|secret_access_key|access_token|credentials)\s*:",
]


def _read(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return tree


def _starts(cluster: dict[str, Any], kind: str) -> list[str]:
    return [command for command in cluster[f"{kind}_start_ray_commands"] if "ray start" in command]


def _pinned(package: str) -> str:
    found = re.search(rf"^{package}==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _python() -> str:
    """That CI runs, and `constraints.txt` is made for."""
    found = re.search(r"python(3\.\d+)", (ROOT / "Makefile").read_text())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_takes_it(name: str) -> None:
    validate_config(prepare_config(_read(name)))


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_would_refuse_a_misspelt_name(name: str) -> None:
    with pytest.raises(ValidationError, match="idle_timeout"):
        validate_config(prepare_config({**_read(name), "idle_timeout": 5}))


@pytest.mark.parametrize("name", [*LAUNCHED, JOB])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_stands_in_it(name: str, secret: str) -> None:
    assert re.search(secret, (ROOT / name).read_text()) is None


@pytest.mark.parametrize("name", LAUNCHED)
def test_every_node_has_the_token_and_asks_for_it(name: str) -> None:
    cluster = _read(name)
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    for kind in ("head", "worker"):
        (start,) = _starts(cluster, kind)
        assert "RAY_AUTH_MODE=token ray start" in start


@pytest.mark.parametrize("name", LAUNCHED)
def test_the_dashboard_listens_to_the_head_alone(name: str) -> None:
    (start,) = _starts(_read(name), "head")
    assert "--dashboard-host=127.0.0.1" in start


@pytest.mark.parametrize("name", LAUNCHED)
def test_every_node_installs_this_checkout(name: str) -> None:
    cluster = _read(name)
    mounted = {there: here for there, here in cluster["file_mounts"].items() if "raysweep" in there}
    assert mounted == {f"~/raysweep/{part}": part for part in INSTALLED}
    assert all((ROOT / part).exists() for part in INSTALLED)
    assert cluster["setup_commands"] == ["bash ~/raysweep/deploy/install.sh"]


@pytest.mark.parametrize("name", CLOUDS)
def test_on_a_cloud_drivers_stay_on_a_head_that_trains_nothing(name: str) -> None:
    cluster = _read(name)
    types = cluster["available_node_types"]
    head = types.pop(cluster["head_node_type"])
    assert head["resources"] == {"CPU": 0, DRIVER_RESOURCE: 1000}
    assert all(DRIVER_RESOURCE not in worker["resources"] for worker in types.values())


def test_on_machines_drivers_stay_on_a_head_that_trains_nothing() -> None:
    cluster = _read("deploy/machines.yaml")
    (head,), (worker,) = _starts(cluster, "head"), _starts(cluster, "worker")
    assert f"--num-cpus=0 --num-gpus=0 --resources='{{\"{DRIVER_RESOURCE}\": 1000}}'" in head
    assert "--resources" not in worker


def test_in_a_job_drivers_stay_on_a_head_that_trains_nothing() -> None:
    cluster = _read(JOB)["spec"]["rayClusterSpec"]
    started = cluster["headGroupSpec"]["rayStartParams"]
    assert started["num-cpus"] == "0"
    assert json.loads(json.loads(started["resources"])) == {DRIVER_RESOURCE: 1000}
    assert all("resources" not in group["rayStartParams"] for group in cluster["workerGroupSpecs"])


@pytest.mark.parametrize("name", CLOUDS)
def test_on_a_cloud_workers_begin_with_none(name: str) -> None:
    cluster = _read(name)
    workers = cluster["available_node_types"]["worker"]
    assert workers["min_workers"] == 0
    assert workers["max_workers"] == cluster["max_workers"] > 0


def test_workers_are_spot_and_heads_are_not() -> None:
    aws, gcp = (_read(name)["available_node_types"] for name in CLOUDS)
    assert aws["worker"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert gcp["worker"]["node_config"]["scheduling"]["provisioningModel"] == "SPOT"
    assert "InstanceMarketOptions" not in aws["head"]["node_config"]
    assert "scheduling" not in gcp["head"]["node_config"]


def test_machines_of_aws_reach_the_bucket_by_their_profiles() -> None:
    types = _read("cluster.yaml")["available_node_types"]
    assert all(set(t["node_config"]["IamInstanceProfile"]) == {"Name"} for t in types.values())


def test_a_job_names_its_token_and_opens_no_way_in() -> None:
    spec = _read(JOB)["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token", "secretName": "raysweep-token"}
    assert cluster["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert "enableIngress" not in cluster["headGroupSpec"]


def test_a_jobs_workers_begin_with_none_and_the_job_takes_its_cluster_down() -> None:
    spec = _read(JOB)["spec"]
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    assert spec["rayClusterSpec"]["enableInTreeAutoscaling"]
    assert group["replicas"] == group["minReplicas"] == 0 < group["maxReplicas"]
    assert spec["shutdownAfterJobFinishes"]


def test_a_job_has_the_fields_that_kuberay_requires() -> None:
    job = _read(JOB)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    images = {pod["template"]["spec"]["containers"][0]["image"] for pod in pods}
    assert len(images) == 1
    assert all({"groupName", "minReplicas", "maxReplicas"} <= set(pod) for pod in pods[1:])


def test_versions_are_those_of_the_constraints() -> None:
    ray, python = _pinned("ray"), _python()
    assert _read(JOB)["spec"]["rayClusterSpec"]["rayVersion"] == ray
    image = f"FROM rayproject/ray:{ray}-py{python.replace('.', '')}-gpu\n"
    assert image in (ROOT / "deploy" / "Dockerfile").read_text()
    installing = (ROOT / "deploy" / "install.sh").read_text()
    assert f"uv venv --python {python} " in installing
    assert '--constraint "$repository/constraints.txt"' in installing


@pytest.mark.parametrize("name", CLOUDS)
def test_what_only_the_head_installs_is_pinned(name: str) -> None:
    (command,) = _read(name)["head_setup_commands"]
    assert re.search(r"--python ~/raysweep-env \S+==[0-9.]+$", command)
