"""Who of several sweeps on one cluster may start a trial: the rules, without Ray.

The highest priority first; among equals whoever has the smaller share of the cluster, counted in what it has most of
(Ghodsi et al. 2011, "Dominant Resource Fairness"). What runs is never taken away: room comes as trials end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 60.0
"""After which a sweep that says nothing more is gone."""


@dataclass(frozen=True)
class Share:
    """CPUs and GPUs, or what there is of them."""

    cpus: float
    gpus: float

    def times(self, number: int) -> "Share":
        return Share(self.cpus * number, self.gpus * number)

    def of(self, whole: "Share") -> float:
        """The larger part; what `whole` lacks counts in full."""
        return max(_part(self.cpus, whole.cpus), _part(self.gpus, whole.gpus))


@dataclass
class Lease:
    """Of one sweep."""

    priority: int
    each: Share
    """What one of its trials takes."""
    held: int
    """Trials that run, or are to."""
    is_waiting: bool
    """Whether it would start another."""
    until: float


class Leases:
    """One for all sweeps of a cluster; a driver that has not been heard of for SECONDS holds nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._leases: dict[str, Lease] = {}

    def ask(self, sweep: str, priority: int, each: Share, held: int, whole: Share) -> bool:
        """Whether `sweep`, which has `held` trials, may start one more that takes `each` of the cluster's `whole`;
        until it may, it waits."""
        own = self._leases[sweep] = Lease(priority, each, held, True, self._clock() + SECONDS)
        self._drop_the_dead()
        others = [lease for name, lease in self._leases.items() if name != sweep]
        used = [lease.each.times(lease.held) for lease in (own, *others)]
        cpus, gpus = sum(share.cpus for share in used), sum(share.gpus for share in used)
        fits = cpus + each.cpus <= whole.cpus and gpus + each.gpus <= whole.gpus
        if not fits or any(_comes_before(other, own, whole) for other in others):
            return False
        own.held, own.is_waiting = held + 1, False
        return True

    def renew(self, sweep: str, priority: int, each: Share, held: int, waits: bool) -> None:
        """It has `held` trials; `waits`: whether it still would start another, if it would before.

        Also of a sweep that counted as gone: what it holds, it holds.
        """
        before = self._leases.get(sweep)
        waits &= before is not None and before.is_waiting
        self._leases[sweep] = Lease(priority, each, held, waits, self._clock() + SECONDS)

    def leave(self, sweep: str) -> bool:
        """It is over; whether no other is left."""
        self._leases.pop(sweep, None)
        self._drop_the_dead()
        return not self._leases

    def _drop_the_dead(self) -> None:
        now = self._clock()
        self._leases = {name: lease for name, lease in self._leases.items() if lease.until > now}


def _comes_before(other: Lease, own: Lease, whole: Share) -> bool:
    if not other.is_waiting or other.priority != own.priority:
        return other.is_waiting and other.priority > own.priority
    return other.each.times(other.held).of(whole) < own.each.times(own.held).of(whole)


def _part(part: float, whole: float) -> float:
    return part / whole if whole else float(part > 0)
