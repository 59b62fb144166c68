"""How many trials of a sweep may run at once, by what the cluster has at the moment and may still get."""

import time
from collections.abc import Callable, Iterable, Iterator
from math import inf

from raysweep.cluster import resources
from raysweep.cluster.growth import full_capacity
from raysweep.cluster.leases import Share
from raysweep.cluster.resources import Capacity, ceiling, concurrency, fitting
from raysweep.cluster.sharing import Alone, Sharing
from raysweep.cluster_config import ClusterConfig
from raysweep.errors import ResourceError
from raysweep.experiment.conductor import Conductor

SECONDS = 5.0
"""Between two looks at the cluster."""
AHEAD = 8
"""Trials that wait for nodes to come, in a small cluster; in a larger one as many as fit. If all came at once that
ever fit, none would be proposed in knowledge of another's results."""


class Room:
    """`base`: what a trial of the search takes; `most`: trials at once by the budget, None: no limit; `tell` hears
    when the number changes; `others`: with whom the cluster is shared, None: nobody."""

    def __init__(
        self,
        base: ClusterConfig,
        most: int | None = None,
        tell: Callable[[str], None] = lambda line: None,
        others: Sharing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base, self.most, self.tell, self.clock = base, most, tell, clock
        self.others = others or Alone()
        self._looked_at = self._beat_at = float("-inf")
        self._seen: set[Capacity] = set()
        self._told: int | None = None
        self._sizes: dict[str, ClusterConfig] = {}

    def is_there(self, conductor: Conductor) -> bool:
        """Whether another trial may start."""
        held = len(conductor.at_work)
        if held >= self.at_once(self._open(conductor)):
            return False
        return self.others.may_start(*self._shares(held))

    def beat(self, conductor: Conductor) -> None:
        """Says that the driver is alive; called all the time."""
        if self.clock() >= self._beat_at + SECONDS:
            self._look()
            each, held, _ = self._shares(len(conductor.at_work))
            self.others.beat(each, held, conductor.has_more)
            self._beat_at = self.clock()

    def _shares(self, held: int) -> tuple[Share, int, Share]:
        """One trial's share, at most all that there is, as `Sharing` wants it."""
        base, now, full = self.base, self._now, self._full or self._now
        whole = Share(max(now.cpus, full.cpus), max(now.gpus, full.gpus))
        if base.autoscales:
            whole = Share(inf, inf)
        cpus = min(base.most_workers * base.cpus_per_worker, whole.cpus)
        return Share(cpus, min(base.gpus, whole.gpus)), held, whole

    def at_once(self, clusters: Iterable[ClusterConfig] = ()) -> int:
        """`clusters`: what the trials take that are not over; the largest decides."""
        self._look()
        kinds = {self.base, *clusters}
        numbers = [at_once(cluster, self._now, self._full) for cluster in kinds]
        number = min([*numbers, *_limits(self.base, self.most)])
        if self._told not in (None, number):
            self.tell(f"{number or 'none'} at a time: the cluster has {self._now}")
        self._told = number
        return number

    def require(self, cluster: ClusterConfig) -> None:
        """ResourceError where the cluster never held a trial of this kind since the start, and may never hold one.

        Nodes that left may come back: what they held is no wrong request.
        """
        ceiling(cluster)
        self._look()
        if cluster.autoscales or any(fitting(cluster, capacity) for capacity in self._seen):
            return
        try:
            concurrency(cluster, self._full or self._now)
        except ResourceError as error:
            which = "" if self._full is None else "with all nodes that the cluster may add, "
            raise ResourceError(f"{which}{error}") from None

    def _look(self) -> None:
        if self.clock() >= self._looked_at + SECONDS:
            self._now, self._full = resources.cluster_capacity(), full_capacity()
            self._seen.add(self._now)
            self._looked_at = self.clock()

    def _open(self, conductor: Conductor) -> Iterator[ClusterConfig]:
        for trial in conductor.known.open_trials():
            if trial not in self._sizes:
                self._sizes[trial] = conductor.cluster_of(trial)
            yield self._sizes[trial]


def at_once(cluster: ClusterConfig, now: Capacity, full: Capacity | None) -> int:
    """Trials of this kind on a cluster that has `now` and may grow to `full`; None: as `cluster.autoscales` says."""
    fits = fitting(cluster, now)
    ahead = max(2 * fits, fits + AHEAD)
    if cluster.autoscales:
        return ahead
    return fits if full is None else max(fits, min(ahead, fitting(cluster, full)))


def _limits(base: ClusterConfig, most: int | None) -> Iterator[int]:
    yield from (limit for limit in (ceiling(base), most) if limit is not None)
