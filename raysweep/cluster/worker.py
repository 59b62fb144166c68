"""What happens in a training process, whichever trainable started it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from raysweep.assemble import assemble
from raysweep.cluster.alone import alone, clear_left
from raysweep.cluster.footage import Share
from raysweep.cluster.job import Job
from raysweep.cluster.metrics import TrialMetrics
from raysweep.cluster.threads import limit_threads
from raysweep.config import RunConfig
from raysweep.data.reading.batches import Batches
from raysweep.experiment.carrier import KEPT_CHECKPOINTS, carrier, fetch_kept
from raysweep.models.summary import summarize
from raysweep.tracking import Trackers, trackers
from raysweep.training import checkpoint
from raysweep.training.loop import Parts, Report, fit, resume
from raysweep.training.testing import final_score


def train(
    job: Job,
    share: Share,
    device: torch.device,
    report: Callable[[Report], None],
    start: Path | None,
) -> None:
    """Runs the trial's share of `share.rank`, from the checkpoint folder `start` where there is one."""
    config = job.config
    limit_threads(config.cluster.cpus_per_worker)
    parts = assemble(config, device, job.objective)
    if start is not None:
        resume(parts, start, report)
    batches = Batches(
        share.footage.reader(),
        share.footage.manifest,
        config.data,
        seed=config.seed,
        rank=share.rank,
        workers=share.workers,
        pinned=device.type == "cuda",
    )
    resumed_at = parts.state.step if start is not None else None
    with (
        _trackers(job, config, parts, resumed_at)
        if share.rank == 0
        else nullcontext(Trackers([])) as tracker
    ):
        best = job.folder / "best" if share.rank == 0 else None
        if fit(parts, batches, report, tracker, best) and job.is_tested:
            if share.rank > 0:
                fetch_kept(job.experiment, job.trial)
            kept = job.experiment.best_checkpoint(job.trial, job.objective.kept_as)
            final = final_score(parts, kept, batches.test())
            tracker.scalars(config.training.steps, final.metrics)
            report(final)


@contextmanager
def carried(job: Job, without: tuple[str, ...] = ()) -> Iterator[Callable[[], None]]:
    """Alone in the trial's folder, as it was sent last; gives what sends it, as the end does too.

    Of experiments on an object store, whose trials' folders are copies; `without` as in `carrier`.
    """
    with alone(job.folder):
        if job.experiment.remote is not None:
            clear_left(job.folder)
        folder = carrier(job.experiment, job.trial, without)
        folder.fetch()
        yield folder.send
        folder.send()


def _trackers(job: Job, config: RunConfig, parts: Parts, resumed_at: int | None) -> Trackers:
    resolution = config.data.resolution
    (job.folder / "summary.txt").write_text(summarize(config.model, resolution))
    experiment = job.experiment.folder.name
    kept = trackers(
        config.tracking,
        job.folder,
        experiment=experiment,
        trial=job.trial,
        settings=parts.settings,
        resume_step=resumed_at,
    )
    return Trackers([kept, TrialMetrics(experiment, job.trial)])


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest in a trial's folder; `mend` has taken out of sight what is torn."""
    return max(folder.glob("checkpoint_*/"), default=None)


def keep_checkpoint(folder: Path, made: Path) -> None:
    """Moves a new checkpoint into the trial's folder, then drops those of longer ago."""
    checkpoint.replace_folder(made, folder / made.name)
    for old in sorted(folder.glob("checkpoint_*/"))[:-KEPT_CHECKPOINTS]:
        checkpoint.remove_folder(old)
