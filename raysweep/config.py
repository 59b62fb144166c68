"""RunConfig and SweepConfig: every component's settings, composed."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, model_validator

from raysweep.cluster_config import ClusterConfig
from raysweep.data import DataConfig
from raysweep.errors import ConfigError
from raysweep.losses import LossConfig
from raysweep.models import ModelConfig, TamingConfig, called, defaults
from raysweep.models.discriminators import DiscriminatorConfig, PatchConfig
from raysweep.presets import PRESETS
from raysweep.schema import Config, Tree, merge, override, parse
from raysweep.search.asked import Asked
from raysweep.search.budget import BudgetConfig
from raysweep.search.samplers import SamplerConfig
from raysweep.search.schedulers import AshaConfig, SchedulerConfig
from raysweep.tracking import TrackingConfig
from raysweep.training import TrainingConfig


class RunConfig(Config):
    """One training run."""

    seed: int = Field(default=0, ge=0)
    """Of the weights, the order of the clips and the dropout."""
    data: DataConfig = DataConfig()
    model: ModelConfig = TamingConfig()
    discriminator: DiscriminatorConfig = PatchConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()
    tracking: TrackingConfig = TrackingConfig()
    cluster: ClusterConfig = ClusterConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self._require_equal_shares()
        workers = self.cluster.most_workers
        if self.cluster.trainable == "single" and workers > 1:
            raise ValueError(
                f"cluster.trainable single takes one worker, got {workers}. "
                "Set cluster.trainable to distributed"
            )
        gpus = self.cluster.gpus_per_worker
        if gpus % 1 and (workers > 1 or gpus > 1):
            raise ValueError(
                "cluster.gpus_per_worker must be whole for several workers (NCCL wants a GPU for each) "
                f"and above 1, got {gpus:g} for {workers}. Set it to {-(-gpus // 1):g}"
            )
        if self.loss.has_gan:
            self.discriminator.check_frame_size(self.data.resolution)
        return self

    def _require_equal_shares(self) -> None:
        """Of every batch, for every worker, whatever their number; and of every part of one that is accumulated."""
        batch, least = self.data.batch_size, self.cluster.least_workers
        counts = range(least, self.cluster.most_workers + 1)
        for what, each in (("", 1), (" x training.accumulate", self.training.accumulate)):
            uneven = [count for count in counts if batch % (count * each)]
            if uneven:
                times = "" if each == 1 else f" x {each}"
                parts = math.lcm(*(count * each for count in counts))
                raise ValueError(
                    f"data.batch_size must divide by cluster.workers{what}, got {batch} and {uneven[0]}{times}. "
                    f"Set data.batch_size to {batch // parts * parts + parts}"
                )


class ConfirmConfig(Config):
    """Finalists are trained again when the search is over, and tested on what no trial has seen."""

    top: int = Field(default=3, ge=1)
    """Finalists: the best trials; with several objectives, of the front."""
    seeds: int = Field(default=5, ge=2, le=10)
    """Times that each is trained, in full and outside the budget, with a seed of its own."""


class NotifyConfig(Config):
    """Who is told when a trial fails or ends as the best so far, and when the sweep ends."""

    url_variable: str | None = None
    """The driver's environment variable that holds an address to POST a small JSON to, so that the address, which
    is a secret, stands in no file; None: nobody is told."""


class SweepConfig(Config):
    """One experiment: which question, over which base run, for how much."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Folder of the experiment inside `storage`."""
    storage: str = "runs"
    """Folder of experiments, on a file system that all nodes share, or an address such as `s3://bucket/folder`."""
    space: str | None = None
    """A module of `search_spaces`, or the path of a .py or .yaml file; None: only trials that are added by hand."""
    tasks: dict[str, Tree] = Field(default_factory=dict)
    """Trials that are given and not searched: name -> dotted settings, which overrule everything."""
    base: Tree = Field(default_factory=dict)
    """Settings of every run, as written: what the space and `pinned` do not say."""
    pinned: Tree = Field(default_factory=dict)
    """Dotted paths set by hand; they overrule the space."""
    pinned_if_asked: Tree = Field(default_factory=dict)
    """The same, of what the space asks of some kinds alone: other runs do not have the setting."""
    points: tuple[Tree, ...] = ()
    """Known-good settings by dotted path, to be tried first, in order; what a point leaves open is sampled."""
    warm_start: tuple[str, ...] = ()
    """Folders of earlier experiments: the search knows their results from the start where it could have
    proposed them itself and they compare."""
    objective: Asked = "psnr"
    """What trials are ranked by: a metric's name, such as psnr; a weight for each of several, above 0, to rank by
    their sum (`{psnr: 1, lpips: 20}` is psnr - 20 lpips: each counts in its better direction); or a list, to find
    the trials that no other beats in all (the Pareto front)."""
    constraints: tuple[str, ...] = ()
    """Bounds such as `code_usage >= 0.5` or `bits_per_pixel <= 0.1`: trials that keep them all come before those
    that do not."""
    scheduler: SchedulerConfig = AshaConfig()
    sampler: SamplerConfig = SamplerConfig()
    budget: BudgetConfig = BudgetConfig()
    confirm: ConfirmConfig | None = None
    """None: the best of the search is taken as it is."""
    notify: NotifyConfig = NotifyConfig()
    seed: int = Field(default=0, ge=0)
    """Of the search; runs have their own."""
    made_with: dict[str, str] = Field(default_factory=dict)
    """Versions, and raysweep's git revision; written down when an experiment is made."""

    @property
    def all_pinned(self) -> Tree:
        """What a space is told instead of its own suggestions."""
        return {**self.pinned, **self.pinned_if_asked}

    def run(self, suggested: Mapping[str, Any] | None = None) -> RunConfig:
        """A searched trial's run: the base, then what the space suggests, then what was set by hand."""
        return run_config(laid(self.base, over(suggested or {}, self.pinned)))

    def run_by_hand(self, settings: Mapping[str, Any]) -> RunConfig:
        """A run of a trial that a person added: its settings overrule everything."""
        return run_config(laid(self.base, over(self.pinned, settings)))

    def extended(self, budget: BudgetConfig, last_step: int | None) -> "SweepConfig":
        """With other limits and, unless None, with runs of `last_step` steps."""
        length = {} if last_step is None else {"training.steps": last_step}
        return self.model_copy(update={"budget": budget, "pinned": over(self.pinned, length)})

    @model_validator(mode="after")
    def _validates_often_enough(self) -> Self:
        if self.run().training.validate_every == 0:
            raise ValueError(
                "training.validate_every must be above 0, since a checkpoint is written with every validation, "
                "got 0. Set it to about a tenth of training.steps"
            )
        return self


LENGTHS = ("training.steps", "training.epochs")
"""A run's length has one unit: the stronger layer's."""


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Tree:
    """Settings by dotted path, laid over weaker ones."""
    if _says_length(above):
        below = {path: value for path, value in below.items() if path not in LENGTHS}
    return {**below, **above}


def laid(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """Settings by dotted path, laid over a tree of weaker ones."""
    training = tree.get("training")
    if _says_length(changes) and isinstance(training, Mapping):
        kept = {name: training[name] for name in training if f"training.{name}" not in LENGTHS}
        tree = {**tree, "training": kept}
    return override(tree, changes)


def _says_length(changes: Mapping[str, Any]) -> bool:
    return any(changes.get(length) is not None for length in LENGTHS)


def in_steps(run: RunConfig, training_clips: int) -> RunConfig:
    """A run of so many `training.epochs`, as steps; the last batch may begin another epoch."""
    assert run.training.epochs is not None
    steps = math.ceil(run.training.epochs * training_clips / run.data.clips_per_step)
    training = run.training.model_copy(update={"steps": steps, "epochs": None})
    return run.model_copy(update={"training": training})


def prolonged(run: RunConfig, begun: int, last_step: int) -> RunConfig:
    """A run that began as one of `begun` steps and goes on to `last_step`: its GAN starts when it would have.

    What follows from the length otherwise, a cosine and the fading of `disc_noise`, is that of the longer run.
    """
    start = run.loss.disc_start_step(begun) if last_step != begun else run.loss.disc_start
    training = run.training.model_copy(update={"steps": last_step, "epochs": None})
    loss = run.loss.model_copy(update={"disc_start": start})
    return run.model_copy(update={"training": training, "loss": loss})


def run_config(tree: Mapping[str, Any]) -> RunConfig:
    """Validates a tree of settings laid over the preset and the model family that it names, over the defaults."""
    loss = tree.get("loss")
    preset = loss.get("preset") if isinstance(loss, Mapping) else None
    below = merge(RunConfig().model_dump(), PRESETS.get(str(preset), {}))
    _require_one_length(tree)
    model = tree.get("model")
    if isinstance(model, Mapping) and isinstance(model.get("kind"), str):
        tree = {**tree, "model": _model(model)}
    return parse(RunConfig, merge(below, tree))


def _require_one_length(tree: Mapping[str, Any]) -> None:
    training = tree.get("training")
    if not isinstance(training, Mapping):
        return
    steps, epochs = training.get("steps"), training.get("epochs")
    if steps is not None and epochs is not None:
        raise ConfigError(
            f"a run's length is training.steps or training.epochs, got both, {steps} and {epochs}. "
            "Remove one of them."
        )


def _model(settings: Mapping[str, Any]) -> Tree:
    """A model's settings over what its `kind`, a family's name or an alias of one, stands for."""
    named = called(settings["kind"])
    named_quantizer, quantizer = named.get("quantizer", {}), settings.get("quantizer")
    kind = quantizer.get("kind") if isinstance(quantizer, Mapping) else None
    if named_quantizer and kind not in (None, named_quantizer["kind"]):
        raise ConfigError(
            f"model.kind {settings['kind']} means a quantizer of kind {named_quantizer['kind']}, got "
            f"model.quantizer.kind {kind}. Leave one of the two out, or set model.kind to {named['kind']}."
        )
    asked = {name: value for name, value in settings.items() if name != "kind"}
    return merge(merge(defaults(named["kind"]), named), asked)


def read_file(path: Path) -> Tree:
    """A YAML or JSON settings file as a tree; ConfigError when it cannot be read."""
    # YAML does not take 1e-4 for a number, and JSON is not read by the machine's locale
    parse_text = json.loads if path.suffix.lower() == ".json" else yaml.safe_load
    try:
        tree = parse_text(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read the config file {path}: {error.strerror}.") from None
    except (yaml.YAMLError, json.JSONDecodeError, UnicodeDecodeError) as error:
        line = str(error).replace("\n", " ")
        raise ConfigError(f"{path} is neither YAML nor JSON: {line}.") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold a mapping of settings, got {type(tree).__name__}.")
    return tree
