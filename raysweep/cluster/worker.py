"""What happens in a training process, whichever trainable started it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
import yaml

from raysweep.assemble import assemble
from raysweep.cluster.alone import alone, clear_left
from raysweep.cluster.footage import Share
from raysweep.cluster.metrics import TrialMetrics
from raysweep.cluster.threads import limit_threads
from raysweep.config import RunConfig, read_file
from raysweep.data.reading.batches import Batches
from raysweep.experiment.carrier import KEPT_CHECKPOINTS, carrier, fetch_kept
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import fetch, on_this_node, push
from raysweep.full_disk import told_when_full
from raysweep.models.summary import summarize
from raysweep.schema import parse
from raysweep.search.objective import Objective
from raysweep.tracking import Trackers, trackers
from raysweep.training import checkpoint
from raysweep.training.loop import Parts, Report, fit, resume
from raysweep.training.testing import final_score


@dataclass(frozen=True)
class Job:
    """A trial to run; its settings lie in its folder, on storage that all nodes share."""

    experiment: Experiment
    trial: str
    objective: Objective
    """What the sweep ranks by: the best checkpoint by it is kept."""
    is_tested: bool = False
    """Whether that checkpoint is scored on the test split at the end."""

    @property
    def folder(self) -> Path:
        return self.experiment.trial(self.trial)

    @cached_property
    def config(self) -> RunConfig:
        return parse(RunConfig, read_file(fetch(self.experiment, self.folder / "config.yaml")))

    def write(self, config: RunConfig) -> None:
        file = self.folder / "config.yaml"
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
        with told_when_full(file):
            self.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        push(self.experiment, file)

    def on_this_node(self, rank: int = 0) -> "Job":
        """With the folder that the rank works in, made where it is absent."""
        job = replace(self, experiment=on_this_node(self.experiment, rank))
        job.folder.mkdir(parents=True, exist_ok=True)
        return job


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
