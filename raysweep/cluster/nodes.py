"""Asking every machine of a cluster: a task pinned to each, which takes none of its resources."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raysweep.cluster.runtime import connected
from raysweep.errors import ResourceError

PATIENCE_SECONDS = 300.0
"""For an answer: a process that starts there, imports torch, and writes half a gigabyte."""
CONNECT_SECONDS = 10.0
"""Within which a cluster takes up a connection."""
ROUND_TRIPS = 5
"""Of which the quickest tells a clock best."""

T = TypeVar("T")


class Node(NamedTuple):
    id: str
    address: str
    gpus: int


class Answer(NamedTuple, Generic[T]):
    node: Node
    value: T | None
    """None: there is none, and `failure` says why."""
    failure: str = ""


class Offset(NamedTuple):
    """How far a node's clock is ahead of this one's, in seconds."""

    seconds: float
    uncertainty: float
    """Half of the quickest round trip."""


@contextmanager
def joined(address: str) -> Iterator[None]:
    """The cluster at `address` for the duration; ResourceError where none answers."""
    os.environ["RAY_ADDRESS"] = address
    with ExitStack() as stack:
        try:
            _require_listener(address)
            stack.enter_context(connected())
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise ResourceError(
                f"a cluster must answer at {address}, and does not: {_last_line(error)}. Correct the address, "
                "start it with `ray start --head`, or give RAY_AUTH_MODE=token and its token."
            ) from None
        yield


def _require_listener(address: str) -> None:
    """OSError where nobody listens at a `host:port`: Ray itself would try for ten minutes."""
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname is not None and place.port is not None:
        socket.create_connection((place.hostname, place.port), CONNECT_SECONDS).close()


def nodes() -> list[Node]:
    """Those that are alive."""
    return [
        Node(node["NodeID"], node["NodeManagerAddress"], int(node["Resources"].get("GPU", 0)))
        for node in ray.nodes()
        if node["Alive"]
    ]


def share(content: bytes) -> Any:
    """Puts it where every node can take it from: a reference, for `ask`."""
    return ray.put(content)


def ask(work: Callable[..., T], given: Callable[[Node], tuple[Any, ...]]) -> list[Answer[T]]:
    """What `work(*given(node))` says on each; all at once."""
    asked = [(node, _on(node, work).remote(*given(node))) for node in nodes()]
    return [_answer(node, reference) for node, reference in asked]


def clock_offset(node: Node) -> Answer[Offset]:
    """Against this process's clock."""
    quickest = Offset(0.0, float("inf"))
    for _ in range(ROUND_TRIPS):
        began, since = time.time(), time.perf_counter()
        answer = _answer(node, _on(node, time.time).remote())
        half = (time.perf_counter() - since) / 2
        if answer.value is None:
            return Answer(node, None, answer.failure)
        if half < quickest.uncertainty:
            quickest = Offset(answer.value - began - half, half)
    return Answer(node, quickest)


def _on(node: Node, work: Callable[..., T]) -> Any:
    there = NodeAffinitySchedulingStrategy(node.id, soft=False)

    def task(*given: Any) -> T:
        return work(*given)

    return ray.remote(task).options(num_cpus=0, max_retries=0, scheduling_strategy=there)


def _answer(node: Node, reference: Any) -> Answer[Any]:
    try:
        return Answer(node, ray.get(reference, timeout=PATIENCE_SECONDS))
    except RayError as error:
        return Answer(node, None, _last_line(error))


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].rstrip(".")
