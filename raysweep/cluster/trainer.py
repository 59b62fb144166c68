"""The TorchTrainer around the shared loop."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from raysweep.cluster.footage import Footage
from raysweep.cluster.job import Job
from raysweep.cluster.storage import placed
from raysweep.cluster_config import ClusterConfig
from raysweep.experiment.carrier import KEPT_CHECKPOINTS


def build_trainer(job: Job, footage: Footage, callbacks: Sequence[Any] = ()) -> TorchTrainer:
    """A trainer whose run folder is the trial's, so that the same trial goes on where it stopped.

    The footage comes with the function: for a trainer's `datasets` a process of its own is started, which the
    workers would wait for and have no use for.
    """
    cluster = job.config.cluster
    return TorchTrainer(
        partial(_worker, footage),
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
    )


def _scaling(config: ClusterConfig) -> ScalingConfig:
    return ScalingConfig(
        num_workers=config.workers,
        use_gpu=config.gpus_per_worker > 0,
        resources_per_worker={"CPU": config.cpus_per_worker, "GPU": config.gpus_per_worker},
    )


def _worker(footage: Footage, settings: dict[str, Any]) -> None:
    from raysweep.cluster.rank import run  # here: the processes that start this one do without

    run(settings["job"], footage)
