"""Where things lie inside an experiment's folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from raysweep.errors import ExperimentError


@dataclass(frozen=True)
class Experiment:
    """`<storage>/<name>/`."""

    folder: Path
    remote: str | None = None
    """Its address on an object store, which `folder` then mirrors (`mirror.py`); None: it is that folder."""

    @property
    def where(self) -> str:
        """As a person names it."""
        return self.remote or str(self.folder)

    @property
    def as_word(self) -> str:
        """The same as a shell takes it."""
        return quote(self.where)

    @property
    def sweep_file(self) -> Path:
        return self.folder / "sweep.yaml"

    @property
    def space_file(self) -> Path | None:
        """The source of the search space as it was kept, Python or YAML; None: there is none."""
        kept = (self.folder / f"space{suffix}" for suffix in (".py", ".yaml"))
        return next((path for path in kept if path.exists()), None)

    @property
    def events(self) -> Path:
        return self.folder / "events" / "events.jsonl"

    @property
    def journal(self) -> Path:
        """For optuna-dashboard."""
        return self.folder / "optuna.journal"

    @property
    def requests(self) -> Path:
        """What a driver is asked for while it is at work."""
        return self.folder / "requests"

    @property
    def leaderboard(self) -> Path:
        return self.folder / "leaderboard.csv"

    @property
    def samples(self) -> Path:
        """Pictures of trials, kept for the next comparison."""
        return self.folder / "report" / "samples"

    @property
    def validation_file(self) -> Path:
        """Facts about the validation set."""
        return self.folder / "validation.json"

    @property
    def trials(self) -> Path:
        return self.folder / "trials"

    def trial(self, trial_id: str) -> Path:
        return self.trials / trial_id

    def best_checkpoint(self, trial_id: str, metric: str) -> Path:
        """The copy of the trial's checkpoint that was best by `metric` (`val/psnr`), or another name of what is
        kept."""
        return self.trial(trial_id) / "best" / metric.removeprefix("val/")


def create(experiment: Experiment, sweep: str, space: str | None, suffix: str = ".py") -> None:
    """Writes what was asked, and the space's source as `space` + `suffix`; the folder appears whole or not at all.

    ExperimentError where it cannot be made.
    """
    partial = Experiment(experiment.folder.with_name(f".{experiment.folder.name}.partial"))
    shutil.rmtree(partial.folder, ignore_errors=True)
    try:
        partial.folder.mkdir(parents=True)
    except OSError as error:
        raise ExperimentError(
            f"an experiment needs a folder that can be made, and {partial.folder.parent} cannot hold one: "
            f"{error.strerror}. Choose another --storage."
        ) from None
    partial.sweep_file.write_text(sweep)
    if space is not None:
        (partial.folder / f"space{suffix}").write_text(space, encoding="utf-8")
    if experiment.remote is not None:  # the mirror of one that was removed
        shutil.rmtree(experiment.folder, ignore_errors=True)
    partial.folder.rename(experiment.folder)


def remove(experiment: Experiment) -> None:
    """Undoes `create`; for an experiment that holds no trial."""
    shutil.rmtree(experiment.folder)


def open_experiment(folder: Path) -> Experiment:
    """An experiment that exists; ExperimentError otherwise."""
    experiment = Experiment(folder.resolve())
    if not experiment.sweep_file.exists():
        raise ExperimentError(
            f"{folder} is not an experiment: it has no sweep.yaml. Name the folder that "
            "`raysweep sweep` printed, such as runs/demo."
        )
    return experiment
