"""A trial as it is sent to the processes that run it.

Those that only start others read this and not what trains, which takes as long to import as torch itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from raysweep.cluster.footage import Footage
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import fetch, on_this_node, push
from raysweep.full_disk import told_when_full
from raysweep.schema import parse
from raysweep.search.objective import Objective

if TYPE_CHECKING:
    from raysweep.config import RunConfig


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
    def config(self) -> "RunConfig":
        from raysweep.config import RunConfig, read_file

        return parse(RunConfig, read_file(fetch(self.experiment, self.folder / "config.yaml")))

    def write(self, config: "RunConfig") -> None:
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


Trainable = Callable[[Job, Footage], None]
"""Runs one trial to its end inside a Tune trial."""
