"""The TorchTrainer around the shared loop."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import ray.train
import ray.train.torch
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from raysweep.cluster import worker
from raysweep.cluster.footage import FRAMES, Footage, Share, ShareByRank
from raysweep.cluster.storage import placed
from raysweep.cluster.worker import Job
from raysweep.cluster_config import ClusterConfig
from raysweep.experiment.carrier import KEPT_CHECKPOINTS
from raysweep.full_disk import told_when_full
from raysweep.training.loop import Report

TRAINS_OWN = ("checkpoint_",)
"""How names begin of what Train itself keeps in the folder of a run."""


def build_trainer(job: Job, footage: Footage, callbacks: Sequence[Any] = ()) -> TorchTrainer:
    """A trainer whose run folder is the trial's, so that the same trial goes on where it stopped."""
    cluster = job.config.cluster
    return TorchTrainer(
        _worker,
        train_loop_config={"job": job},
        scaling_config=_scaling(cluster),
        run_config=RunConfig(
            name=job.trial,
            **placed(job.experiment, job.experiment.trials),
            callbacks=list(callbacks),
            checkpoint_config=CheckpointConfig(num_to_keep=KEPT_CHECKPOINTS),
            failure_config=FailureConfig(
                max_failures=cluster.max_failures, controller_failure_limit=3
            ),
        ),
        datasets={FRAMES: footage},
        dataset_config=ShareByRank(),
    )


def _scaling(config: ClusterConfig) -> ScalingConfig:
    return ScalingConfig(
        num_workers=config.workers,
        use_gpu=config.gpus_per_worker > 0,
        resources_per_worker={"CPU": config.cpus_per_worker, "GPU": config.gpus_per_worker},
    )


def _worker(settings: dict[str, Any]) -> None:
    """Runs on every rank, inside the process group that the trainer made; the first writes in the trial's folder."""
    shard: Share = ray.train.get_dataset_shard(FRAMES)
    job: Job = settings["job"].on_this_node(shard.rank)
    is_first = shard.rank == 0
    with (
        told_when_full(job.folder),
        worker.carried(job, TRAINS_OWN) if is_first else nullcontext(_nothing) as send,
    ):
        saved = ray.train.get_checkpoint()
        if saved is None:  # a new run, or one whose list of checkpoints was torn
            return _train(job, shard, send, worker.latest_checkpoint(job.folder))
        with saved.as_directory() as start:
            return _train(job, shard, send, Path(start))


def _nothing() -> None: ...


def _train(job: Job, shard: Share, send: Callable[[], None], start: Path | None) -> None:
    def report(report: Report) -> None:
        send()
        made = None if report.checkpoint is None else Checkpoint.from_directory(report.checkpoint)
        ray.train.report({"step": report.step, **report.metrics}, checkpoint=made)

    worker.train(job, shard, ray.train.torch.get_device(), report, start)
