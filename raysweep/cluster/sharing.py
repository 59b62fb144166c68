"""Several sweeps on one cluster: one actor that all their drivers ask before they start a trial.

Tune knows nothing of other jobs. Each counts the whole cluster as its own: its registry and its placement groups are
the job's, so two of them do not disturb one another's trials, but they start more than there is room for. Which of the
waiting placement groups Ray serves next is nobody's decision, and a Train run that finds no place within its time
fails. So drivers agree before.
"""

import os
import time
from contextlib import suppress
from typing import Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayActorError

from raysweep.cluster.leases import Leases, Share
from raysweep.cluster.resources import DRIVER_SHARE
from raysweep.cluster.runtime import DRIVER_RESOURCE

NAME = "raysweep-leases-2"
"""The number is that of the rules: drivers of other rules are not asked."""
NAMESPACE = "raysweep"
ANSWER_SECONDS = 10.0


class Sharing(Protocol):
    """Asked by a driver before it starts a trial."""

    def may_start(self, each: Share, held: int, whole: Share) -> bool:
        """One more trial that takes `each`, beside `held` of this sweep, of the cluster's `whole`."""

    def beat(self, each: Share, held: int, waits: bool) -> None:
        """The driver is alive, has `held` trials that take `each`, and would start another or not."""

    def leave(self) -> None:
        """The driver has no trials any more."""


def sharing(sweep: str, priority: int) -> Sharing:
    """With the other sweeps of the cluster that RAY_ADDRESS names; a cluster of its own is for itself."""
    return Shared(sweep, priority) if "RAY_ADDRESS" in os.environ else Alone()


class Alone(Sharing):
    def may_start(self, each: Share, held: int, whole: Share) -> bool:
        return True

    def beat(self, each: Share, held: int, waits: bool) -> None: ...

    def leave(self) -> None: ...


class Shared(Sharing):
    """`sweep`: a name that no other has."""

    def __init__(self, sweep: str, priority: int) -> None:
        self.sweep, self.priority = sweep, priority
        self._actor = _actor()
        self._asked_at = float("-inf")

    def may_start(self, each: Share, held: int, whole: Share) -> bool:
        """At most once a second: not, in between."""
        if time.monotonic() < self._asked_at + 1:
            return False
        answer = self._ask(self.sweep, self.priority, each, held, whole)
        self._asked_at = float("-inf") if answer else time.monotonic()
        return answer

    def beat(self, each: Share, held: int, waits: bool) -> None:
        self._actor.renew.remote(self.sweep, self.priority, each, held, waits)

    def leave(self) -> None:
        with suppress(GetTimeoutError, RayActorError):  # it ends with the last; or the lease does
            ray.get(self._actor.leave.remote(self.sweep), timeout=ANSWER_SECONDS)

    def _ask(self, *claim: Any) -> bool:
        try:
            return bool(ray.get(self._actor.ask.remote(*claim), timeout=ANSWER_SECONDS))
        except GetTimeoutError:
            return False
        except RayActorError:  # it ended with the last sweep before this one
            self._actor = _actor()
            return False


class _Agreed(Leases):
    """Ends with the last sweep."""

    def leave(self, sweep: str) -> bool:
        if super().leave(sweep):
            ray.actor.exit_actor()
        return False


def _actor() -> Any:
    """The cluster's, where a driver began it; it outlives that driver."""
    has_place = DRIVER_RESOURCE in ray.cluster_resources()
    resources = {DRIVER_RESOURCE: DRIVER_SHARE} if has_place else {}
    return (
        ray.remote(_Agreed)
        .options(
            name=NAME,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            num_cpus=0,
            resources=resources,
        )
        .remote()
    )
