"""A TorchTrainer per trial: any number of workers, on any nodes."""

from raysweep.cluster.alone import alone
from raysweep.cluster.footage import Footage
from raysweep.cluster.worker import Job


def distributed(job: Job, footage: Footage) -> None:
    from ray.tune.integration.ray_train import TuneReportCallback

    from raysweep.cluster.trainer import build_trainer

    with alone(job.on_this_node().folder):  # Train's controller reads and prunes the checkpoints
        pass
    build_trainer(job, footage, [TuneReportCallback()]).fit()
