"""What a sweep's settings rank trials by, as an Objective that a run can be measured on."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from raysweep.config import RunConfig
from raysweep.errors import ConfigError
from raysweep.metrics import direction
from raysweep.metrics.codes import level_figures
from raysweep.metrics.ssim import WINDOW
from raysweep.search.asked import Asked, read_constraint, read_objective
from raysweep.search.objective import Constraint, Goal, Objective
from raysweep.spelling import nearest
from raysweep.training.loop import LATEST


def objective(asked: Asked, constraints: Sequence[str], run: RunConfig) -> Objective:
    """Metrics are named as in reports or without `val/`; ConfigError for one that the run cannot produce.

    Where nothing validates, the latest is the best.
    """
    wanted = read_objective(asked)
    metrics = [_measured(name, "objective", run) for name in wanted.names]
    _require_once(metrics, f"an objective names a metric once, got {', '.join(wanted.names)}")
    bounds = [_bound(text, run) for text in constraints]
    sides = [(bound.metric, bound.is_minimum) for bound in bounds]
    _require_once(sides, f"a metric has one bound on each side, got {', '.join(constraints)}")
    if run.data.split == "none":
        return Objective((Goal(LATEST, "max"),))
    goals = tuple(Goal(f"val/{metric}", direction(metric)) for metric in metrics)
    return Objective(goals, wanted.weights, tuple(bounds))


def _bound(text: str, run: RunConfig) -> Constraint:
    asked = read_constraint(text)
    return replace(asked, metric=f"val/{_measured(asked.metric, 'constraint', run)}")


def _measured(name: str, what: str, run: RunConfig) -> str:
    """The metric without `val/`; of LPIPS the one that the run's weights give."""
    metric = name.removeprefix("val/")
    if metric in ("lpips", "lpips_random"):
        metric = "lpips_random" if run.loss.perceptual_init == "random" else "lpips"
    direction(metric)
    if (needed := _needed(metric, run)) is not None:
        raise ConfigError(f"{what} {metric.removesuffix('_random')} needs {needed}")
    if "/" in metric:
        _require_level(metric, what, run)
    return metric


def _needed(metric: str, run: RunConfig) -> str | None:
    """What the run lacks to measure it, and the remedy."""
    size, clip_length = run.data.resolution, 1 if run.data.images else run.data.clip_length
    if metric.startswith("lpips") and run.loss.perceptual_net == "none":
        return "loss.perceptual_net, got none. Set it to alex, squeeze or vgg."
    if metric == "rfid" and run.training.rfid == "off":
        return "training.rfid, got off. Set it to pretrained."
    if metric == "flicker" and clip_length == 1:
        return "clips of several frames, got single ones. Set data.clip_length to 8."
    if metric == "ssim" and size < WINDOW:
        return f"frames of {WINDOW} px, got data.resolution {size}. Set it to 32."
    return None


def _require_level(metric: str, what: str, run: RunConfig) -> None:
    """Some figures are also given for each code map of a model that has several."""
    with torch.device("meta"):
        known = level_figures(len(run.model.build().codebook_sizes))
    if metric in known:
        return
    if not known:
        raise ConfigError(
            f"{what} {metric} needs a model of several code maps, got model.kind {run.model.kind} with one. "
            f"Name {metric.split('/')[0]}."
        )
    near = nearest(metric, known)
    hint = f"Did you mean {near!r}?" if near else "Choose one of them."
    raise ConfigError(f"{what} must be one of {', '.join(known)} here, got {metric!r}. {hint}")


def _require_once(named: Sequence[object], rule: str) -> None:
    if len(set(named)) < len(named):
        raise ConfigError(f"{rule}. Leave one out.")
