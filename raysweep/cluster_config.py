"""What a run takes of the machines, and a sweep of those that it shares."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from raysweep.schema import Config

Workers = Annotated[int, Field(ge=1)]


class ClusterConfig(Config):
    """What one run takes."""

    workers: Workers | tuple[Workers, Workers] = 1
    """Processes that train one model together; each takes an equal share of every batch. `[least, most]`: as many as
    there is room for, more or fewer as nodes come and go, each time from the last checkpoint; the batches are the same
    whatever their number, so data.batch_size must divide by every number in between."""
    cpus_per_worker: int = Field(default=1, ge=1)
    """CPU cores of one worker, and threads that torch and OpenCV use in it."""
    gpus_per_worker: float = Field(default=0.0, ge=0)
    """A whole number, or for one worker a fraction, which lets runs share a GPU."""
    trainable: Literal["distributed", "single", "auto"] = "auto"
    """`distributed`: a TorchTrainer; `single`: in the trial's own process, a third of the start-up, one
    worker only; `auto`: single when one worker is asked for."""
    max_failures: int = Field(default=3, ge=0)
    """Times in a row that a run goes on from its last checkpoint after one of its processes died, with its node or
    without, and it came no further, before its trial has failed; 0: never. Those of a `distributed` run count also
    where a worker raised an error, and all of them."""
    max_cpus: int | None = Field(default=None, ge=1)
    max_gpus: float | None = Field(default=None, gt=0)
    """Of all trials of a sweep together, which leaves the rest of the cluster to others; None: all. What the base run
    says holds for the sweep; a single trial's settings do not change it."""
    priority: int = 0
    """Of a sweep among those on the same cluster: while one of a higher priority has trials that wait, those of a lower
    start none. Among equals, whoever has less of the cluster is next."""
    autoscales: bool = False
    """Whether nodes may come that raysweep cannot know of, as under KubeRay or for a driver that is not on the head
    node: what does not fit is then waited for, and not refused."""

    @property
    def least_workers(self) -> int:
        return self.workers if isinstance(self.workers, int) else self.workers[0]

    @property
    def most_workers(self) -> int:
        return self.workers if isinstance(self.workers, int) else self.workers[1]

    @property
    def gpus(self) -> float:
        """Of all workers, at most."""
        return self.most_workers * self.gpus_per_worker

    @property
    def resolved_trainable(self) -> str:
        if self.trainable == "auto":
            return "single" if self.most_workers == 1 else "distributed"
        return self.trainable

    @model_validator(mode="after")
    def _least_comes_first(self) -> Self:
        if self.least_workers > self.most_workers:
            raise ValueError(
                f"workers [least, most] must rise, got {list(self.workers)}. "  # type: ignore[arg-type]
                f"Set it to [{self.most_workers}, {self.least_workers}]"
            )
        return self
