"""What happens in a training process, whichever trainable started it."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml

from raysweep.assemble import assemble
from raysweep.cluster.footage import Share
from raysweep.cluster.metrics import TrialMetrics
from raysweep.config import RunConfig, read_file
from raysweep.data.reading.batches import Batches
from raysweep.experiment.layout import Experiment
from raysweep.models.summary import summarize
from raysweep.schema import parse
from raysweep.search.objective import Objective
from raysweep.tracking import Trackers, trackers
from raysweep.training import checkpoint
from raysweep.training.loop import Parts, Report, fit, resume
from raysweep.training.testing import final_score


@dataclass(frozen=True)
class Job:
    """A trial to run; its settings lie in its folder, which all nodes share."""

    experiment: Experiment
    trial: str
    objective: Objective
    """What the sweep ranks by: the best checkpoint by it is kept."""
    is_tested: bool = False
    """Whether that checkpoint is scored on the test split at the end."""

    @property
    def folder(self) -> Path:
        return self.experiment.trial(self.trial)

    @property
    def config(self) -> RunConfig:
        return parse(RunConfig, read_file(self.folder / "config.yaml"))

    def write(self, config: RunConfig) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
        (self.folder / "config.yaml").write_text(text)


def train(
    job: Job,
    share: Share,
    device: torch.device,
    report: Callable[[Report], None],
    start: Path | None,
) -> None:
    """Runs the trial's share of `share.rank`, from the checkpoint folder `start` where there is one."""
    config = job.config
    torch.set_num_threads(config.cluster.cpus_per_worker)
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
            kept = job.experiment.best_checkpoint(job.trial, job.objective.kept_as)
            final = final_score(parts, kept, batches.test())
            tracker.scalars(config.training.steps, final.metrics)
            report(final)


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
    """The newest complete checkpoint in a trial's folder, in the layout that `single` writes."""
    complete = [path.parent for path in folder.glob("checkpoint_*/state.pt")]
    return max(complete, default=None)


def keep_checkpoint(folder: Path, made: Path) -> None:
    """Moves a new checkpoint into the trial's folder, then drops the older ones."""
    checkpoint.replace_folder(made, folder / made.name)
    for old in folder.glob("checkpoint_*"):
        if old.name != made.name:
            checkpoint.remove_folder(old)
