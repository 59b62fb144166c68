"""A TorchTrainer per trial: any number of workers, on any nodes."""

from raysweep.cluster.alone import alone
from raysweep.cluster.footage import Footage
from raysweep.cluster.job import Job
from raysweep.cluster.mending import mend


def distributed(job: Job, footage: Footage) -> None:
    from ray.tune.integration.ray_train import TuneReportCallback

    from raysweep.cluster.trainer import build_trainer

    folder = job.on_this_node().folder
    with alone(folder):  # Train's controller reads and prunes the checkpoints that lie there
        mend(folder)
    build_trainer(job, footage, [TuneReportCallback()]).fit()
