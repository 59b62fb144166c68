"""Workers with parts of the batches are one worker with the whole batches.

Every job below runs in this process, and in each of two gloo processes that hold half of the data; some run in
each of four, too. The five validation clips divide evenly among neither.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, multiprocessing, nn

from raysweep import parallel
from raysweep.errors import TrainingFailed
from raysweep.metrics import Metric, Scored
from raysweep.models.norm import GlobalBatchNorm2d
from raysweep.models.quantizers import EMAConfig
from raysweep.schema import Tree
from raysweep.training.evaluate import evaluate, to_frames
from raysweep.training.loop import DIVERGED, Report, fit
from raysweep.training.step import Scalars
from tests.models.pairs import FAMILIES
from tests.tiny import CPU, NO_EFFECT, NO_TRACKER, MemoryBatches, frames, tiny_parts, tiny_run

WORKERS = 2
FRAMES_PER_STEP = 8
PROMISE: Tree = {
    "loss.preset": "taming",
    # What amplifies rounding is left out: random features of an untrained reconstruction (their pooling
    # takes one of many near-equal maxima), and many codes that lie as close to a vector as the nearest.
    "loss.perceptual_net": "none",
    "loss.disc_start": 5,
    "training.steps": 20,
    "training.validate_every": 10,
    "training.learning_rate": 4.5e-6 * FRAMES_PER_STEP,
}

PENALTIES: Tree = {
    "discriminator.norm": "batch",
    "loss.lecam_weight": 0.1,
    "loss.r1_weight": 1.0,
    "loss.r1_every": 2,
    "training.clip_norm": 0.5,
    "training.optimizer": "adamw",
}
MICRO_BATCHES: Tree = {
    "training.accumulate": 2,
    "loss.adaptive": False,
    "seed": 1,  # of seed 0 a vector lies between two codes, and rounding chooses
}


def _quantizer(kind: str) -> Tree:
    return {"model.quantizer": {"kind": kind, "codebook_size": 8, "embedding_dim": 8}}


ANY_NUMBER: dict[str, Tree] = {
    # group normalization in both networks
    "gradient": {**_quantizer("gradient"), "training.steps": 10},
    "norm-free": {"model": FAMILIES["grouped"], **_quantizer("gradient"), "training.steps": 10},
}


def _share(values: Tensor) -> Tensor:
    return values.chunk(parallel.place().workers)[parallel.place().rank]


def _train(changes: Tree) -> dict[str, Any]:
    """A whole `fit` -> at every validation, its metrics and both networks; the first rank alone saves."""
    changes = {**PROMISE, **changes}
    parts, seen, checkpoints = tiny_parts(changes), {}, []

    def report(report: Report) -> None:
        networks = {"tokenizer": parts.state.tokenizer, "discriminator": parts.state.discriminator}
        states = {
            name: {key: value.clone() for key, value in network.state_dict().items()}
            for name, network in networks.items()
        }
        seen[report.step] = {"metrics": report.metrics, **states}
        checkpoints.append(report.checkpoint)

    batches = MemoryBatches(tiny_run(changes), *parallel.place())
    fit(parts, batches, report, NO_TRACKER)
    first = parallel.place().rank == 0
    assert all((checkpoint is not None) == first for checkpoint in checkpoints)
    return seen


def _batch_norm() -> dict[str, Tensor]:
    """A step of batch normalization on a mean far from zero, as the mean over workers of their losses."""
    torch.manual_seed(0)
    layer = GlobalBatchNorm2d(4)
    nn.init.normal_(layer.weight)
    x, slope = torch.randn(2, 6, 4, 3, 3).unbind()
    x = _share(x * 0.05 + 30).requires_grad_()
    y = layer(x)
    (y * _share(slope)).mean().backward()
    weight, bias = (parallel.mean(p.grad.clone()) for p in layer.parameters())
    statistics = {k: v for k, v in layer.state_dict().items() if "running" in k}
    return {"y": y.detach(), "dx": x.grad, "dweight": weight, "dbias": bias, **statistics}


def _perplexity() -> Tensor:
    """Of a training step's codes; before it the first rank validates alone, and must wait for nobody."""
    tokenizer = tiny_parts({**PROMISE, **_quantizer("gradient")}).state.tokenizer
    if parallel.place().rank == 0:
        tokenizer.eval()(frames(3))
    return tokenizer.train()(_share(frames(FRAMES_PER_STEP))).perplexity.detach()


class _Seen(Metric):
    """How often each validation frame was scored."""

    better: ClassVar = {}

    def __init__(self, every_NCHW: Tensor) -> None:
        self._every_NCHW = every_NCHW
        self._times = torch.zeros(len(every_NCHW), dtype=torch.float64)

    def update(self, batch: Scored) -> None:
        for frame in batch.frames_NCHW:
            self._times += (self._every_NCHW == frame).all((1, 2, 3))

    def totals(self) -> Tensor:
        return self._times.clone()

    def values(self, totals: Tensor) -> dict[str, float]:
        return {f"frame {number}": times for number, times in enumerate(totals.tolist())}


def _seen() -> dict[str, float]:
    batches = MemoryBatches(tiny_run(PROMISE), *parallel.place())
    every_NCHW = to_frames(batches.valid_clips, CPU)
    tokenizer = tiny_parts(PROMISE).state.tokenizer
    return evaluate(tokenizer, {"seen": _Seen(every_NCHW)}, batches.validation(), CPU)


def _gather() -> Tensor:
    rows = torch.arange(12.0).view(6, 2)
    return parallel.gather_rows(_share(rows), torch.tensor([5, 0, 3, 3, 2]))


def _codebook() -> dict[str, Tensor]:
    """Starts on data, revives, and moves: more codes than a worker has vectors."""
    torch.manual_seed(0)
    quantizer = EMAConfig(codebook_size=50, embedding_dim=4, decay=0.5).build()
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        quantizer(_share(torch.randn(4, 4, 3, 3, generator=generator)))
    return dict(quantizer.state_dict())


def _nan_on_the_last_worker() -> list[Report]:
    changes = {**PROMISE, "training.max_skipped": 1}
    parts, reports = tiny_parts(changes), []

    def step(frames: Tensor) -> Scalars:
        last = parallel.place().rank == parallel.place().workers - 1
        return parts.step(frames * (float("nan") if last and parts.state.step == 2 else 1.0))

    batches = MemoryBatches(tiny_run(changes), *parallel.place())
    fit(replace(parts, step=step), batches, reports.append, NO_TRACKER)
    return [tuple(report) for report in reports]


def _out_of_memory(accumulate: int) -> str:
    """What a run says that never has enough of it: three clips on each of two workers, two frames each."""
    changes = {**PROMISE, "data.batch_size": 6, "training.accumulate": accumulate}

    def step(frames: Tensor) -> Scalars:
        raise torch.OutOfMemoryError

    batches = MemoryBatches(tiny_run(changes), *parallel.place())
    with pytest.raises(TrainingFailed) as failure:
        fit(replace(tiny_parts(changes), step=step), batches, lambda report: None, NO_TRACKER)
    return str(failure.value)


JOBS: dict[str, Callable[[], Any]] = {
    "gradient": lambda: _train(_quantizer("gradient")),
    "norm-free": lambda: _train(ANY_NUMBER["norm-free"]),
    "ema": lambda: _train(_quantizer("ema")),
    "batch discriminator": lambda: _train(
        {**_quantizer("gradient"), "discriminator.norm": "batch", "training.steps": 10}
    ),
    "two levels": lambda: _train(
        {"model": FAMILIES["hierarchical"], **_quantizer("ema"), "training.steps": 10}
    ),
    "penalties": lambda: _train({**_quantizer("gradient"), **PENALTIES, "training.steps": 10}),
    "micro-batches": lambda: _train(
        {**_quantizer("gradient"), **MICRO_BATCHES, "training.steps": 10}
    ),
    "batch norm": _batch_norm,
    "seen": _seen,
    "gather": _gather,
    "perplexity": _perplexity,
    "codebook": _codebook,
    "nan": _nan_on_the_last_worker,
    "out of memory": lambda: _out_of_memory(1),
    "out of memory with a clip at a time": lambda: _out_of_memory(3),
}


FOR_FOUR: dict[str, Callable[[], Any]] = {
    "gradient": lambda: _train(ANY_NUMBER["gradient"]),
    "norm-free": lambda: _train(ANY_NUMBER["norm-free"]),
    "seen": _seen,
}
SHARED = {WORKERS: JOBS, 4: FOR_FOUR}


def _worker(rank: int, folder: Path, workers: int) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=workers
    )
    torch.save({name: job() for name, job in SHARED[workers].items()}, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the two workers made of every job."""
    return _spawned(tmp_path_factory.mktemp("two"), WORKERS)


@pytest.fixture(scope="module")
def four_workers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of four made of FOR_FOUR."""
    return _spawned(tmp_path_factory.mktemp("four"), 4)


def _spawned(folder: Path, workers: int) -> list[dict[str, Any]]:
    multiprocessing.spawn(_worker, (folder, workers), nprocs=workers)
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(workers)]


@cache
def _alone(name: str) -> Any:
    return JOBS[name]()


class Apart(NamedTuple):
    """Largest differences of two runs: of a weight; of a metric, as a share of it where it is above 1."""

    weight: float
    metric: float


def _apart(one: dict[str, Any], other: dict[str, Any]) -> Apart:
    weights = [
        (other[network][key] - value).abs().max().item()
        for network in ("tokenizer", "discriminator")
        for key, value in one[network].items()
        if not key.endswith(NO_EFFECT)
    ]
    metrics = [
        abs(other["metrics"][name] - value) / max(1.0, abs(value))
        for name, value in one["metrics"].items()
    ]
    return Apart(max(weights), max(metrics))


@cache
def _another_seeds(name: str) -> Any:
    return _train({**ANY_NUMBER[name], "seed": 3})


@pytest.mark.parametrize("count", SHARED)
@pytest.mark.parametrize("name", ANY_NUMBER)
def test_ten_steps_of_any_number_of_workers_are_those_of_one(
    workers, four_workers, name, count
) -> None:
    """And not those of another seed, by far."""
    one, several = _alone(name)[10], {WORKERS: workers, 4: four_workers}[count][0][name][10]
    other_seed = _another_seeds(name)[10]
    weight, metric = 1e-5, 1e-6
    assert _apart(one, several).weight <= weight
    assert _apart(one, several).metric <= metric
    assert _apart(one, other_seed).weight >= 100 * weight
    assert _apart(one, other_seed).metric >= 100 * metric


def test_each_validation_frame_is_scored_once_however_many_workers_share_them(
    workers, four_workers
) -> None:
    once = {f"val/frame {number}": 1.0 for number in range(10)}
    assert _alone("seen") == workers[0]["seen"] == four_workers[0]["seen"] == once


TRAININGS = ["gradient", "norm-free", "ema", "batch discriminator", "penalties", "micro-batches"]


@pytest.mark.parametrize("quantizer", ["gradient", "ema"])
def test_the_validation_psnr_is_the_same_and_another_seeds_is_not(workers, quantizer) -> None:
    one = _alone(quantizer)[20]["metrics"]["val/psnr"]
    two = workers[0][quantizer][20]["metrics"]["val/psnr"]
    other = _train({**_quantizer(quantizer), "seed": 3})[20]["metrics"]["val/psnr"]
    assert two == pytest.approx(one, abs=1e-3)
    assert abs(other - one) >= 0.1


@pytest.mark.parametrize("name", TRAININGS)
def test_the_networks_are_the_same_after_ten_steps(workers, name) -> None:
    one, two = _alone(name)[10], workers[0][name][10]
    for network in ("tokenizer", "discriminator"):
        for key, value in one[network].items():
            if not key.endswith(NO_EFFECT):
                torch.testing.assert_close(two[network][key], value, atol=1e-5, rtol=1e-5, msg=key)


@pytest.mark.parametrize("name", TRAININGS)
def test_every_metric_is_the_same(workers, name) -> None:
    one, two = _alone(name)[10]["metrics"], workers[0][name][10]["metrics"]
    assert two == pytest.approx(one, rel=1e-4)


def test_a_tokenizer_with_batch_norm_is_the_same_and_scores_the_same(workers) -> None:
    one, two = _alone("two levels")[10], workers[0]["two levels"][10]
    rate = PROMISE["training.learning_rate"]
    for key, value in one["tokenizer"].items():
        # Batch normalization subtracts what the bias before it adds: rounding alone makes that bias's
        # gradient, which Adam scales up to a step of the learning rate.
        slack = 10 * rate if key.endswith(("bias", "running_mean")) else 1e-5
        torch.testing.assert_close(two["tokenizer"][key], value, atol=slack, rtol=1e-5, msg=key)
    assert two["metrics"] == pytest.approx(one["metrics"], rel=5e-4)


@pytest.mark.parametrize(
    "name", [*TRAININGS, "two levels", "codebook", "gather", "perplexity", "nan"]
)
def test_the_workers_agree_bit_for_bit(workers, name) -> None:
    first, second = (worker[name] for worker in workers)
    torch.testing.assert_close(first, second, atol=0, rtol=0)


def test_batch_norm_is_torchs_over_the_whole_batch(workers) -> None:
    shares = [worker["batch norm"] for worker in workers]
    together = {name: torch.stack([share[name] for share in shares]) for name in shares[0]}
    one = _batch_norm()  # torch's own, where there is no group
    for name, value in one.items():
        if name == "y":
            seen = together[name].flatten(0, 1)
        elif name == "dx":
            seen = together[name].flatten(0, 1) / WORKERS
        else:
            seen = together[name][0]
        # 30 has 2e-6 of rounding, which is 4e-5 of a standard deviation.
        torch.testing.assert_close(seen, value, atol=2e-4, rtol=1e-4)


def test_rows_are_found_on_whichever_worker_holds_them(workers) -> None:
    assert torch.equal(workers[0]["gather"], _gather())


def test_the_training_perplexity_is_of_the_global_batch(workers) -> None:
    assert _alone("perplexity") > 1.5
    torch.testing.assert_close(workers[0]["perplexity"], _alone("perplexity"))


def test_the_ema_codebook_starts_revives_and_moves_as_one(workers) -> None:
    torch.testing.assert_close(workers[0]["codebook"], _codebook(), atol=1e-5, rtol=1e-5)


def test_a_nan_on_one_worker_ends_the_run_on_all(workers) -> None:
    assert workers[0]["nan"] == [(3, {DIVERGED: 3.0}, None)]


def test_out_of_memory_on_workers_names_a_setting_that_is_taken(workers) -> None:
    wanted = "out of memory with 6 frames of 32x32 px .* Set training.accumulate to 3: "
    assert re.match(wanted, workers[0]["out of memory"])
    tiny_run({"data.batch_size": 6, "cluster.workers": WORKERS, "training.accumulate": 3})
    wanted = "out of memory with 2 frames of 32x32 px .* Set data.resolution to 16, "
    assert re.match(wanted, workers[0]["out of memory with a clip at a time"])
