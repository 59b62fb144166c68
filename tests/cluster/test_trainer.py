"""A TorchTrainer run whose worker is killed goes on from its checkpoint, to the same end."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from ray.train import UserCallback

from raysweep.cluster.footage import in_shared_memory
from raysweep.cluster.job import Job
from raysweep.data.storing.store import prepare
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import fetch, located
from raysweep.schema import Tree
from raysweep.training import checkpoint
from tests.cluster.processes import writers
from tests.fakes import PSNR
from tests.s3_server import Server
from tests.tiny import EMA, tiny_run

pytestmark = pytest.mark.ray

KILLED_AT = 5
WORKERS = {"alone": 2, "killed": [1, 2], "killed on S3": 2}
"""As many as there is room for are two here."""
EVERYTHING: Tree = {
    "cluster.trainable": "distributed",
    "cluster.max_failures": 1,
    "model.quantizer": EMA,
    "loss.perceptual_net": "none",
    "loss.disc_start": 3,
    "loss.disc_every": 2,
    "loss.lecam_weight": 0.1,
    "training.steps": 15,  # a worker runs ahead of the controller by two reports at most
    "training.validate_every": 5,
    "training.weight_ema": 0.99,
    "tracking.tensorboard": False,
    "data.split": "source",
    "data.test_fraction": 0.2,
}


class Killer(UserCallback):
    """Hears of reports in the trainer's controller, and kills the first rank after the first checkpoint."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def after_report(self, run_context: Any, metrics: list[Any], checkpoint: Any) -> None:
        if (
            metrics[0]["step"] == KILLED_AT and checkpoint is not None
        ):  # None: told again on resuming
            (pid,) = writers(self.log)
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def ends(
    cluster: str, videos: Path, tmp_path_factory: pytest.TempPathFactory, s3_server: Server
) -> dict[str, tuple[Job, dict[str, Any]]]:
    """Of a run that was left alone, of one that lost a worker, and of one that lost it on an object store: its job
    and its last checkpoint."""
    from raysweep.cluster.trainer import build_trainer

    config, folder = tiny_run(EVERYTHING), tmp_path_factory.mktemp("trainer")
    prepare(videos, folder / "store", config.data)
    footage = in_shared_memory(folder / "store")
    here = Experiment(folder / "runs")
    there = located(s3_server.address(s3_server.new_bucket()), "runs")
    ends = {}
    for name, experiment in {"alone": here, "killed": here, "killed on S3": there}.items():
        job = Job(experiment, name, PSNR, is_tested=True)
        job.write(tiny_run({**EVERYTHING, "cluster.workers": WORKERS[name]}))
        log = job.on_this_node().folder.resolve() / "training.log"
        callbacks = [] if name == "alone" else [Killer(log)]
        result = build_trainer(job, footage, callbacks).fit()
        with result.checkpoint.as_directory() as last:
            ends[name] = job, checkpoint.load(Path(last))
    return ends


@pytest.mark.parametrize("where", ["killed", "killed on S3"])
def test_a_killed_worker_changes_nothing_bit_for_bit(ends, where) -> None:
    (_, alone), (_, killed) = ends["alone"], ends[where]
    torch.testing.assert_close(killed, alone, atol=0, rtol=0)
    assert killed["step"] == EVERYTHING["training.steps"]
    assert killed["logit_averages"].abs().min() > 0


@pytest.mark.parametrize("where", ["killed", "killed on S3"])
def test_the_killed_run_went_on_from_its_checkpoint(ends, where) -> None:
    def written(name: str, file: str) -> list[str]:
        job = ends[name][0]
        return fetch(job.experiment, job.folder / file).read_text().splitlines()

    def starts(name: str) -> list[str]:
        lines = written(name, "training.log")
        return [line.split("Z  ")[1] for line in lines if "started" in line or "resumed" in line]

    def scores(name: str, metric: str) -> list[Tree]:
        lines = written(name, "metrics.jsonl")
        return [line for line in map(json.loads, lines) if metric in line]

    assert starts("alone") == ["started"]
    assert starts(where) == ["started", f"resumed from step {KILLED_AT}"]
    for metric, count in (("val/psnr", 3), ("test/psnr", 1)):
        assert len(scores("alone", metric)) == count
        assert scores(where, metric) == scores("alone", metric)
