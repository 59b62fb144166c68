"""A TorchTrainer per trial: any number of workers, on any nodes."""

from raysweep.cluster.footage import Footage
from raysweep.cluster.worker import Job


def distributed(job: Job, footage: Footage) -> None:
    from ray.tune.integration.ray_train import TuneReportCallback

    from raysweep.cluster.trainer import build_trainer

    build_trainer(job, footage, [TuneReportCallback()]).fit()
