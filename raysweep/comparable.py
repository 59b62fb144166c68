"""When two scores compare: measured on the same frames, and with the same networks."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from raysweep.config import RunConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.index.fingerprint import clips_digest
from raysweep.data.storing.manifest import Manifest
from raysweep.errors import ConfigError
from raysweep.features.inception import inception_file
from raysweep.features.lpips import lpips_files
from raysweep.features.weights import digest
from raysweep.schema import Config

WITH_NETWORKS = ("val/lpips", "val/lpips_random", "val/rfid")
"""Metrics that compare what a network sees."""


class Fingerprint(Config):
    """What a run's validation measures on, and with."""

    frames: str
    """Of the validation clips and of how their frames were made (data/index/fingerprint.py)."""
    weights: dict[str, str] = Field(default_factory=dict)
    """Metric -> `weights_of` it, for the metrics of WITH_NETWORKS that the run measures."""


def fingerprint(
    run: RunConfig, manifest: Manifest, metrics: Iterable[str] = WITH_NETWORKS
) -> Fingerprint:
    """Of the run on a store, with the weights of `metrics`; DataError or WeightsError where it cannot validate."""
    frames = clips_digest(manifest, index_clips(manifest, "valid", run.data))
    weights = {name: weights_of(name, run) for name in metrics}
    return Fingerprint(frames=frames, weights={name: it for name, it in weights.items() if it})


def weights_of(metric: str, run: RunConfig) -> str:
    """The network that the run measures a metric with, and the digests of its files; empty: none."""
    net, init, rfid = run.loss.perceptual_net, str(run.loss.perceptual_init), str(run.training.rfid)
    lpips = "val/lpips_random" if init == "random" else "val/lpips"
    if metric == lpips and net != "none":
        return " ".join([net, *map(_short, lpips_files(net, init))])
    if metric == "val/rfid" and rfid != "off":
        return f"inception {_short(inception_file(rfid))}"
    return ""


def require_same(recorded: Fingerprint, found: Fingerprint, metrics: Iterable[str]) -> None:
    """ConfigError unless scores by `metrics` (`val/psnr`) compare; `recorded` is what counts."""
    remedy = "Use the footage, the settings and the weights that it began with, or start another experiment."
    if recorded.frames != found.frames:
        raise ConfigError(
            "an experiment ranks its trials on the validation frames that it began with, fingerprint "
            f"{recorded.frames[:12]}, got {found.frames[:12]}. {remedy}"
        )
    for metric in metrics:
        began, now = recorded.weights.get(metric), found.weights.get(metric)
        if began != now:
            raise ConfigError(
                f"an experiment ranks its trials by {metric} with the weights that it began with, {began}, "
                f"got {now}. {remedy}"
            )


def compares(one: Fingerprint, other: Fingerprint, metrics: Iterable[str]) -> bool:
    """Whether scores by all of the metrics compare."""
    same_weights = (one.weights.get(metric) == other.weights.get(metric) for metric in metrics)
    return one.frames == other.frames and all(same_weights)


def _short(file: Path) -> str:
    return digest(file)[:16]
