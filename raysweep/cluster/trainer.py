"""The TorchTrainer around the shared loop."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import ray.train
import ray.train.torch
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from raysweep.cluster import worker
from raysweep.cluster.alone import alone
from raysweep.cluster.footage import FRAMES, Footage, ShareByRank
from raysweep.cluster.worker import Job
from raysweep.cluster_config import ClusterConfig
from raysweep.training.loop import Report


def build_trainer(job: Job, footage: Footage, callbacks: Sequence[Any] = ()) -> TorchTrainer:
    """A trainer whose run folder is the trial's, so that the same trial goes on where it stopped."""
    cluster = job.config.cluster
    return TorchTrainer(
        _worker,
        train_loop_config={"job": job},
        scaling_config=_scaling(cluster),
        run_config=RunConfig(
            name=job.trial,
            storage_path=str(job.experiment.trials.resolve()),
            callbacks=list(callbacks),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
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
    job: Job = settings["job"]
    shard, device = ray.train.get_dataset_shard(FRAMES), ray.train.torch.get_device()
    with alone(job.folder) if shard.rank == 0 else nullcontext():
        saved = ray.train.get_checkpoint()
        if saved is None:
            return worker.train(job, shard, device, _report, None)
        with saved.as_directory() as start:
            return worker.train(job, shard, device, _report, Path(start))


def _report(report: Report) -> None:
    made = None if report.checkpoint is None else Checkpoint.from_directory(report.checkpoint)
    ray.train.report({"step": report.step, **report.metrics}, checkpoint=made)
