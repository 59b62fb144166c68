"""One worker of a TorchTrainer."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import ray.train
import ray.train.torch
from ray.train import Checkpoint

from raysweep.cluster import worker
from raysweep.cluster.footage import Footage, Share
from raysweep.cluster.job import Job
from raysweep.full_disk import told_when_full
from raysweep.training.loop import Report

TRAINS_OWN = ("checkpoint_",)
"""How names begin of what Train itself keeps in the folder of a run."""


def run(job: Job, footage: Footage) -> None:
    """Runs on every rank, inside the process group that the trainer made; the first writes in the trial's folder."""
    place = ray.train.get_context()
    share = Share(footage, place.get_world_rank(), place.get_world_size())
    job = job.on_this_node(share.rank)
    is_first = share.rank == 0
    with (
        told_when_full(job.folder),
        worker.carried(job, TRAINS_OWN) if is_first else nullcontext(_nothing) as send,
    ):
        saved = ray.train.get_checkpoint()
        if saved is None:  # a new run, or one whose list of checkpoints was torn
            return _train(job, share, send, worker.latest_checkpoint(job.folder))
        with saved.as_directory() as start:
            return _train(job, share, send, Path(start))


def _nothing() -> None: ...


def _train(job: Job, share: Share, send: Callable[[], None], start: Path | None) -> None:
    def report(report: Report) -> None:
        send()
        made = None if report.checkpoint is None else Checkpoint.from_directory(report.checkpoint)
        ray.train.report({"step": report.step, **report.metrics}, checkpoint=made)

    worker.train(job, share, ray.train.torch.get_device(), report, start)
