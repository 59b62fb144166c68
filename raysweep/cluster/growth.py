"""What a cluster may still become: the nodes that its autoscaler may add.

Ray 2.60 tells a driver nothing of an autoscaler's limits: the place for them in the GCS (`ClusterConfig`) is
filled by no part of it. What `ray up` was told lies on the head node, in the file that the autoscaler reads. So
a driver there, as a submitted job is, knows what may come. Elsewhere, and under KubeRay, `cluster.autoscales` says
that more may.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from raysweep.cluster.resources import Capacity, capacity_of

BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")
HEAD = "node:__internal_head__"
"""Ray's mark of the head node among its resources."""


def full_capacity(file: Path = BOOTSTRAP) -> Capacity | None:
    """Of the connected cluster once all nodes have come that may; None where none is known to."""
    path = file.expanduser()
    if not path.exists():
        return None
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    heads = [resources for resources in alive if HEAD in resources]
    may_come = workers(yaml.safe_load(path.read_text()))
    return capacity_of([*heads, *may_come]) if may_come else None


def workers(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Ray resources of all worker nodes that a cluster of this `ray up` file may have, the largest first.

    A kind whose resources the file does not say, such as a machine of one's own, is known once it is there.
    """
    kinds: Mapping[str, Mapping[str, Any]] = asked.get("available_node_types", {})
    of_workers = [kind for name, kind in kinds.items() if name != asked.get("head_node_type")]
    told = [kind for kind in of_workers if kind.get("resources")]
    nodes = [kind["resources"] for kind in told for _ in range(kind.get("max_workers", 0))]
    return sorted(nodes, key=_size, reverse=True)[: asked.get("max_workers", len(nodes))]


def _size(resources: Mapping[str, Any]) -> tuple[float, float]:
    return resources.get("GPU", 0), resources.get("CPU", 0)
