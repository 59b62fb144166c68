"""One worker in the trial's own process: no controller and no worker group to start.

It writes the layout of a Train run, and prunes by the same rule: the last two checkpoints stay.
"""

from typing import TYPE_CHECKING

from raysweep.cluster.footage import Footage, Share
from raysweep.cluster.job import Job
from raysweep.cluster.mending import mend
from raysweep.full_disk import told_when_full

if TYPE_CHECKING:
    from raysweep.training.loop import Report


def single(job: Job, footage: Footage) -> None:
    import torch
    from ray import tune

    from raysweep.cluster import (
        worker,  # here, since the driver of a distributed trial does without
    )

    job = job.on_this_node()
    device = torch.device("cuda" if job.config.cluster.gpus_per_worker > 0 else "cpu")

    with told_when_full(job.folder), worker.carried(job) as send:

        def report(report: "Report") -> None:
            if report.checkpoint is not None:
                worker.keep_checkpoint(job.folder, report.checkpoint)
            send()
            tune.report({"step": report.step, **report.metrics})

        mend(job.folder)
        start = worker.latest_checkpoint(job.folder)
        worker.train(job, Share(footage), device, report, start)
