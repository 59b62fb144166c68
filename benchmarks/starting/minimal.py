"""The least that Ray asks for: a function in Tune, and a TorchTrainer inside one."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from starting.course import Course, courses, mark


class Several(Searcher):
    """Trials without settings, each as soon as there is room, as a search proposes them."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        self.left -= 1
        return {} if self.left >= 0 else str(Searcher.FINISHED)

    def on_trial_complete(self, *_: Any, **__: Any) -> None:
        """Nothing is learned."""

    def save(self, checkpoint_path: str) -> None:
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError


class Noting(FIFOScheduler):
    def __init__(self) -> None:
        super().__init__()
        self.added, self.last_reports = dict[str, float](), dict[str, float]()

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        self.added[trial.trial_id] = time.time()

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        self.last_reports[trial.trial_id] = time.time()
        return str(super().on_trial_result(tune_controller, trial, result))


def minimal_tune(settings: dict[str, Any], marks: Path) -> None:
    import torch
    import torchvision

    mark(marks / str(time.time_ns()))
    tune.report({"loss": float(torch.zeros(1)), "version": torchvision.__version__})


def minimal_train(settings: dict[str, Any], marks: Path) -> None:
    import ray.train
    from ray.train.torch import TorchTrainer
    from ray.tune.integration.ray_train import TuneReportCallback

    def worker() -> None:
        import torch
        import torchvision

        mark(marks / str(time.time_ns()))
        ray.train.report({"loss": float(torch.zeros(1)), "version": torchvision.__version__})

    TorchTrainer(
        worker,
        scaling_config=ray.train.ScalingConfig(num_workers=1),
        run_config=ray.train.RunConfig(
            name=marks.name + str(time.time_ns()),
            storage_path=str(marks.parent.parent / "train"),
            callbacks=[TuneReportCallback()],
        ),
    ).fit()


def minimal(
    trial: Callable[..., None], takes: dict[str, float], trials: int, folder: Path
) -> list[Course]:
    marks, notes = folder / "marks" / trial.__name__, Noting()
    marks.mkdir(parents=True)
    tune.Tuner(
        tune.with_resources(tune.with_parameters(trial, marks=marks), takes),
        tune_config=tune.TuneConfig(
            search_alg=Several(trials),
            scheduler=notes,
            num_samples=trials,
            max_concurrent_trials=1,
        ),
        run_config=tune.RunConfig(
            name=trial.__name__, storage_path=str(folder / "tune"), verbose=0
        ),
    ).fit()
    return courses(list(notes.added.values()), marks, list(notes.last_reports.values()))
