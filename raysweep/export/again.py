"""The exported model, measured again: on the frames that its trial was validated on, by the same code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan

from torch import Tensor

from raysweep.assemble import build_metrics
from raysweep.config import RunConfig
from raysweep.errors import ExperimentError, WeightsError
from raysweep.features.inception import inception_file
from raysweep.features.lpips import lpips_files
from raysweep.pretrained import Pretrained
from raysweep.schema import Tree, override
from raysweep.training.evaluate import evaluate

TOLERANCE = 1e-4
"""Between two figures: absolute up to 1, relative above."""
ELSEWHERE = 1e-2
"""The same where the trial trained on a GPU and this is none, or the other way round: sums are rounded otherwise, and
a vector between two codes takes the other one."""


@dataclass(frozen=True)
class Again:
    """What measuring again has shown, as metrics.json holds it."""

    why_not: str = ""
    """Why nothing was measured; empty: it was."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    largest_difference: float = 0.0
    """From the trial's figures: absolute up to 1, relative above."""
    of: str = ""
    """The figure that differs most."""
    device: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Metrics of the trial that could not be measured here -> why."""


@dataclass(frozen=True)
class Measurable:
    run: RunConfig
    """Without the metrics whose weights cannot be had."""
    left_out: Mapping[str, str]
    """Those metrics -> why."""


def measure_again(model: Pretrained, told: Mapping[str, float], batches: Iterable[Tensor]) -> Again:
    """`told`: the trial's figures; `batches`: uint8 clips (B, T, H, W, C), the whole validation set.

    ExperimentError where a figure is another one.
    """
    can = measurable(model.config)
    metrics = build_metrics(model.tokenizer, can.run, model.device)
    found = evaluate(model.tokenizer, metrics, batches, model.device)
    told = {name: told[name] for name in told if name in found}
    if not told:
        return Again(why_not="nothing validates it")
    differences = {name: abs(found[name] - told[name]) / max(1.0, abs(told[name])) for name in told}
    of = max(differences, key=lambda name: (isnan(differences[name]), differences[name]))
    if not differences[of] <= _tolerance(model):
        raise _another(of, told[of], found[of], model)
    return Again("", found, differences[of], of, model.device.type, can.left_out)


def measurable(run: RunConfig) -> Measurable:
    """What of a run's metrics can be measured here."""
    left_out, without = {}, {}
    loss, rfid = run.loss, str(run.training.rfid)
    try:
        if loss.perceptual_net != "none":
            lpips_files(loss.perceptual_net, str(loss.perceptual_init))
    except WeightsError as error:
        left_out["val/lpips"], without["loss.perceptual_net"] = str(error), "none"
    try:
        if rfid != "off":
            inception_file(rfid)
    except WeightsError as error:
        left_out["val/rfid"], without["training.rfid"] = str(error), "off"
    settings: Tree = override(run.model_dump(), without)
    return Measurable(RunConfig.model_validate(settings), left_out)


def _tolerance(model: Pretrained) -> float:
    return TOLERANCE if model.device.type == _trained_on(model.config) else ELSEWHERE


def _trained_on(run: RunConfig) -> str:
    return "cuda" if run.cluster.gpus_per_worker > 0 else "cpu"


def _another(name: str, told: float, found: float, model: Pretrained) -> ExperimentError:
    return ExperimentError(
        f"an exported model must score what its trial did, to {_tolerance(model):g}, and {name} is {found:.6g} on "
        f"{model.device.type}, where the trial had {told:.6g} on {_trained_on(model.config)}. Export it where it was "
        "trained, on the same store; --no-evaluate exports it as it is."
    )
