"""Twenty steps are ten, a checkpoint, a new process and ten more: every family, one worker and two."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing

from raysweep import parallel
from raysweep.schema import Tree
from raysweep.training.loop import Report, fit, resume
from tests.models.pairs import FAMILIES
from tests.tiny import EMA, NO_TRACKER, MemoryBatches, tiny_parts, tiny_run

EVERYTHING: Tree = {
    "loss.perceptual_net": "none",
    "loss.disc_start": 8,
    "loss.disc_every": 2,
    "loss.disc_ramp": 1.0,
    "loss.disc_noise": 0.1,
    "loss.lecam_weight": 0.1,
    "training.steps": 20,
    "training.validate_every": 10,
    "training.weight_ema": 0.99,
    "training.schedule": "exponential",
    "training.decay_every": 3,
}
RUNS: dict[str, Tree] = {
    "the GAN starts after the stop": {**EVERYTHING, "loss.disc_start": 14},
    **{
        family: {**EVERYTHING, "model": {**settings, "quantizer": EMA}}
        for family, settings in FAMILIES.items()
    },
}


def _run(name: str, folder: Path, start: Path | None) -> dict[str, Any]:
    """To the end -> the state there; rank 0 leaves the checkpoint of step 10."""
    parts, kept = tiny_parts(RUNS[name]), folder / name
    if start is not None:
        resume(parts, start / name, lambda report: None)

    def report(report: Report) -> None:
        if report.step == 10 and report.checkpoint is not None:
            shutil.copytree(report.checkpoint, kept)

    fit(parts, MemoryBatches(tiny_run(RUNS[name]), *parallel.place()), report, NO_TRACKER)
    return parts.state.state_dict()


def _process(rank: int, workers: int, folder: Path, start: Path | None) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    if workers > 1:
        meeting = f"file://{folder}/meeting"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=workers)
    ends = {name: _run(name, folder, start) for name in RUNS}
    torch.save(ends, folder / f"{rank}.pt")
    if workers > 1:
        dist.destroy_process_group()


Ends = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def ends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """The last states of the runs that went straight on, and of those that others took up."""
    straight, resumed = (tmp_path_factory.mktemp(name) for name in ("straight", "resumed"))
    multiprocessing.spawn(_process, (request.param, straight, None), nprocs=request.param)
    multiprocessing.spawn(_process, (request.param, resumed, straight), nprocs=request.param)
    return torch.load(straight / "0.pt"), torch.load(resumed / "0.pt")


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_another_process_took_up_ends_the_same_bit_for_bit(ends, name) -> None:
    straight, resumed = ends
    torch.testing.assert_close(resumed[name], straight[name], atol=0, rtol=0)
    assert straight[name]["step"] == 20
    assert straight[name]["logit_averages"].abs().min() > 0
