"""What a sweep will take, before it starts: its cheapest and its dearest trial are tried out for some steps."""

import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import torch

from raysweep.cluster import resources
from raysweep.cluster.resources import Capacity
from raysweep.commands.console import say, title
from raysweep.commands.footage import store_of
from raysweep.commands.pace import STEPS, Pace, pace, seconds_of
from raysweep.commands.plan import Plan, at_once, known_capacity
from raysweep.config import RunConfig, in_steps
from raysweep.data.index.clips import index_clips
from raysweep.data.storing.manifest import Manifest, is_finished, read_manifest
from raysweep.errors import ConfigError, ResourceError
from raysweep.experiment.draws import check_space
from raysweep.models import ModelConfig
from raysweep.models.summary import Figures, measure
from raysweep.search.study import Space
from raysweep.spelling import in_time

DRAWS = 64
"""Settings of the space that are looked at."""
LEFT_BY_STOPPING = 2 / 3
"""Share of all steps that the usual scheduler leaves (benchmarks/search.py)."""


class Tried(NamedTuple):
    """One run that was timed."""

    run: RunConfig
    pace: Pace
    seconds: float
    """Of a whole trial."""


class Bill(NamedTuple):
    """A sweep of trials that all take as long as one that was timed."""

    seconds: float
    gpu_hours: float


def forecast(plan: Plan, space: Space | None, price: float | None) -> None:
    """Prints what the sweep takes; `price`: dollars for an hour of a GPU."""
    store = store_of(plan.sweep.run().data, plan.experiment.folder.parent)
    manifest = read_manifest(store) if is_finished(store) else None
    runs = [_lasting(run, manifest) for run in _runs(plan, space)]
    by_cost = sorted(runs, key=_cost)
    _require_priced(runs, price)
    title("what a trial takes")
    tried = [_try(run, manifest) for run in dict.fromkeys((by_cost[0], by_cost[-1]))]
    for word, each in zip(("cheapest", "dearest"), (tried[0], tried[-1]), strict=True):
        say(f"{word}: {_told_trial(each, manifest)}")
    title("what the sweep takes")
    _say_sweep(plan, tried, price)
    title("what this assumes")
    for assumption in _assumed(plan, len(runs), manifest):
        say(f"- {assumption}")


def _runs(plan: Plan, space: Space | None) -> Sequence[RunConfig]:
    sweep = plan.sweep
    if space is None:
        return [sweep.run_by_hand(settings) for settings in sweep.tasks.values()]
    values = len(plan.objective.goals) if plan.objective.is_pareto else 1
    return [draw.config for draw in check_space(sweep, space, DRAWS, values)]


def _lasting(run: RunConfig, manifest: Manifest | None) -> RunConfig:
    """In steps."""
    if run.training.epochs is None:
        return run
    if manifest is None:
        raise ConfigError(
            f"an estimate needs a run's steps, and training.epochs {run.training.epochs} become steps once the "
            "footage is prepared. Run `raysweep prepare` first, or set training.steps."
        )
    return in_steps(run, len(index_clips(manifest, "train", run.data)))


def _require_priced(runs: Iterable[RunConfig], price: float | None) -> None:
    if price is not None and not any(run.cluster.gpus for run in runs):
        raise ConfigError(
            f"--price is of an hour of a GPU, got {price:g}, and the trials take none. Set "
            "cluster.gpus_per_worker, or leave it out."
        )


def _cost(run: RunConfig) -> tuple[float, int]:
    """What orders runs by cost: operations of the tokenizer, then steps with a GAN."""
    steps = run.training.steps
    start = run.loss.gan_timing(steps).start
    frames = steps * run.data.batch_size * run.data.clip_length
    figures = _figures(run.model, run.data.resolution)
    flops = (figures.encode_flops + figures.decode_flops) * frames
    return flops, 0 if start is None else steps - start


@cache
def _figures(model: ModelConfig, resolution: int) -> Figures:
    return measure(model, resolution)


def _try(run: RunConfig, manifest: Manifest | None) -> Tried:
    wants_gpu = run.cluster.gpus_per_worker > 0
    if wants_gpu and not torch.cuda.is_available():
        raise ResourceError(
            f"an estimate times {STEPS} steps in this process, on a GPU as the trials do, and there is none "
            "here. Run it on a machine that has one like the cluster's."
        )
    timed = pace(run, torch.device("cuda" if wants_gpu else "cpu"))
    return Tried(run, timed, seconds_of(run, timed, _validation_clips(run, manifest)))


def _validation_clips(run: RunConfig, manifest: Manifest | None) -> int:
    return 0 if manifest is None else len(index_clips(manifest, "valid", run.data))


def _told_trial(tried: Tried, manifest: Manifest | None) -> str:
    run, timed = tried.run, tried.pace
    figures = _figures(run.model, run.data.resolution)
    gan = f", {timed.gan_step:.3g} s with its GAN" if timed.gan_step else ""
    step = f"{timed.step:.3g} s a step{gan}" if timed.step else f"{timed.gan_step:.3g} s a step"
    validation = timed.validation * _validation_clips(run, manifest) / run.cluster.least_workers
    return (
        f"{in_time(tried.seconds)} for {run.training.steps:,} steps; {figures.parameters:,} parameters, "
        f"{(figures.encode_flops + figures.decode_flops) / 1e9:.3g} GFLOPs a frame; {step}, "
        f"{validation + timed.checkpoint:.3g} s a validation"
    )


def _say_sweep(plan: Plan, tried: Sequence[Tried], price: float | None) -> None:
    capacity = _capacity()
    number = at_once(plan.sweep, capacity)
    trials = len(plan.sweep.tasks) or plan.sweep.budget.trials
    if trials is None:
        return say("budget.trials has no limit: how long it takes is up to the other limits")
    say(f"{trials} trials, {number} at a time on {capacity}")
    for share, words in _shares(plan):
        bills = sorted(_bill(each, trials * share + _finals(plan), number) for each in tried)
        say(f"{words}: {_told_bills(bills, price)}")
    return None


def _capacity() -> Capacity:
    """Of this machine, or of the cluster that trials would run on."""
    known = known_capacity()
    if known is not None:
        return known
    from raysweep.cluster.runtime import connected

    with connected():
        return resources.cluster_capacity()


def _shares(plan: Plan) -> list[tuple[float, str]]:
    """Of all steps, those that are trained."""
    whole = [(1.0, "if none is stopped early")]
    if plan.sweep.tasks or plan.sweep.scheduler.kind == "none":
        return whole
    return [*whole, (LEFT_BY_STOPPING, "if stopping early leaves two thirds of the steps")]


def _finals(plan: Plan) -> int:
    """Trials in full that confirm the best."""
    confirm = plan.sweep.confirm
    return 0 if confirm is None else confirm.top * confirm.seeds


def _bill(tried: Tried, trials: float, number: int) -> Bill:
    seconds = tried.seconds * max(1.0, trials / number)
    return Bill(seconds, tried.seconds * trials * tried.run.cluster.gpus / 3600)


def _told_bills(bills: Sequence[Bill], price: float | None) -> str:
    told = [_span([in_time(bill.seconds) for bill in bills])]
    if any(bill.gpu_hours for bill in bills):
        told.append(f"{_span([f'{bill.gpu_hours:.3g}' for bill in bills])} GPU hours")
    if price is not None:
        told.append(_span([f"${bill.gpu_hours * price:,.2f}" for bill in bills]))
    return ", ".join(told)


def _span(told: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((told[0], told[-1])))


def _assumed(plan: Plan, runs: int, manifest: Manifest | None) -> Iterable[str]:
    word = "tasks" if plan.sweep.tasks else "draws from the space"
    yield (
        f"cheapest and dearest are of {runs} {word}, by the tokenizer's operations in a whole trial, then by "
        "steps with a GAN; the sweep is as if all trials were the one, or the other"
    )
    yield f"{STEPS} steps or a few more were timed on frames of noise, alone on this machine"
    if "RAY_ADDRESS" in os.environ:
        yield "the cluster's machines are as fast as this one"
    if plan.sweep.run().cluster.most_workers > 1:
        yield "workers wait for nothing: each was timed alone with its share of a batch"
    yield "reading footage costs nothing, and neither does starting a trial"
    if manifest is None:
        yield "validating costs nothing but its checkpoint: the footage is not prepared yet"
    if _finals(plan):
        yield f"{_finals(plan)} of the trials confirm the best, and are never stopped"
