"""The earlier system's param.json -> settings of ours, and an account of every one of its settings.

Nothing is dropped in silence: a setting is mapped, or listed with the reason why it has no meaning any
more, or unknown and listed as such. Contradictions are ConfigErrors that name both values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from raysweep.errors import ConfigError
from raysweep.legacy import defaults, tables
from raysweep.legacy.device import gpus_of
from raysweep.legacy.rules import Gone, Rules, Sets
from raysweep.legacy.setup import Setup, rules_of, setup_of
from raysweep.schema import Tree, flatten, override
from raysweep.spelling import nearest


class Mapped(NamedTuple):
    """One of our settings, and where it comes from."""

    old: str
    """Dotted path in the file; empty: absent there, and this is what held then."""
    value: Any
    """As written."""
    path: str
    """Ours; empty where the old value says what holds anyway."""
    became: Any
    note: str = ""


class Listed(NamedTuple):
    """A setting that sets nothing here."""

    old: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Translation:
    settings: Tree
    """Of a RunConfig, and `storage`."""
    mapped: list[Mapped]
    listed: list[Listed]


def is_param_file(tree: Mapping[str, Any]) -> bool:
    """Whether a settings file is of the earlier system, by the shape of it."""
    return any(section in tree for section in tables.SECTIONS)


def translate(
    tree: Mapping[str, Any],
    gpus: float = 0,
    other_source: bool = False,
    of_runs_alone: bool = False,
) -> Translation:
    """`gpus`: of this machine, which is what the device `auto` asks for; `other_source`: the footage that
    the file names is not used; `of_runs_alone`: nor is the folder it would save in."""
    old = flatten(tree)
    unused = dict.fromkeys(tables.FOOTAGE, "another source is given") if other_source else {}
    unused |= dict.fromkeys(tables.STORAGE, tables.TOGETHER) if of_runs_alone else {}
    unused |= {path: "null: what holds without it" for path in old if old[path] is None}
    given = {path: value for path, value in old.items() if path not in unused}
    setup = setup_of(given, gpus)
    rules = rules_of(setup, given)
    mapped: list[Mapped] = []
    listed = [Listed(path, old[path], unused[path]) for path in old if path in unused]
    for path, value in given.items():
        outcome = _outcome(path, value, given, rules)
        if isinstance(outcome, Gone):
            listed.append(Listed(path, value, outcome.reason))
        else:
            mapped += _rows(path, value, outcome)
    _require_agreement(mapped)
    mapped += _defaults(setup, given, {row.path for row in mapped})
    settings = override({}, _gathered({row.path: row.became for row in mapped if row.path}))
    return Translation(settings, mapped, listed)


def _outcome(path: str, value: Any, given: Mapping[str, Any], rules: Rules) -> Sets | Gone:
    for winner in tables.SUPERSEDED.get(path, ()):
        if winner in given and winner in rules:
            return Gone(f"superseded by {winner}")
    if path in rules:
        try:
            return rules[path](value)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}.") from None
    if path in tables.KNOWN:
        return Gone("a model of this type never read it")
    return Gone(f"unknown{_hint(path)}")


def _hint(path: str) -> str:
    """The known setting whose last name is nearest."""
    full = {name.split(".")[-1]: name for name in tables.KNOWN}
    near = nearest(path.split(".")[-1], full)
    return f"; did you mean {full[near]}?" if near else ""


def _rows(path: str, value: Any, outcome: Sets) -> list[Mapped]:
    rows = [Mapped(path, value, ours, new, outcome.note) for ours, new in outcome.settings.items()]
    return rows or [Mapped(path, value, "", None, "what holds by default")]


def _require_agreement(mapped: Iterable[Mapped]) -> None:
    first: dict[str, Mapped] = {}
    for row in (row for row in mapped if row.path):
        before = first.setdefault(row.path, row)
        if before.became != row.became:
            raise ConfigError(
                f"{before.old} {before.value!r} and {row.old} {row.value!r} contradict each other: both set "
                f"{row.path}. Remove one of them."
            )
        other = first.get(tables.INSTEAD_OF.get(row.path, ""))
        if other is not None:
            raise ConfigError(
                f"{other.old} {other.value!r} and {row.old} {row.value!r} contradict each other: a run has one "
                "length. Remove one of them."
            )


def _defaults(setup: Setup, given: Mapping[str, Any], set_already: set[str]) -> list[Mapped]:
    """Rows for what held in the earlier system where the file says nothing."""
    usual = {
        "model.kind": setup.kind,
        "model.quantizer.kind": setup.quantizer,
        **defaults.OF_QUANTIZER[setup.quantizer],
        **defaults.OF_MODEL.get((setup.kind, setup.quantizer), {}),
        **defaults.OF_RECIPE[setup.recipe],
        **_conditional_defaults(setup, given),
    }
    replaced = {tables.INSTEAD_OF.get(path) for path in set_already}
    return [
        Mapped("", None, path, value)
        for path, value in usual.items()
        if path not in set_already | replaced
    ]


def _conditional_defaults(setup: Setup, given: Mapping[str, Any]) -> Tree:
    """What held because of something else in the file."""
    images = bool(given.get("use_images", setup.recipe == "lightning"))
    has_lossconfig = any(path.startswith("model_args.lossconfig.") for path in given)
    by_gradient = setup.quantizer == "gradient"
    commits = given.keys() & {"model_args.commitment_cost", "model_args.lambda_commit"}
    trains = given.keys() & set(tables.TRAINING_FOOTAGE)
    validates = given.keys() & set(tables.VALIDATION_FOOTAGE)
    devices = given.keys() & {"train_args.device", "train_args.accelerator"}
    conditions: dict[str, tuple[bool, Any]] = {
        "cluster.gpus_per_worker": (not devices, gpus_of("auto", setup.gpus)),
        "data.random_start": (not images, True),
        "data.split": (bool(trains and not validates), "none"),
        "model.quantizer.legacy_beta": (
            by_gradient,
            setup.kind == "taming_vqgan" and not commits,
        ),
        "loss.disc_weight": (setup.recipe == "taming" and has_lossconfig, 1.0),
        "model.checkpoint_bgr": ("train_args.checkpoint_path" in given and not images, True),
        "training.learning_rate": (setup.kind == "taming_vqgan", 1e-4),
        "tracking.swanlab": (any(path.startswith("swanlab.") for path in given), True),
        "tracking.wandb_job_type": (bool(given.get("use_wandb")), "train_model"),
    }
    return {path: value for path, (holds, value) in conditions.items() if holds}


def _gathered(settings: Mapping[str, Any]) -> Tree:
    """`a[0]` and `a[1]` become the list `a`."""
    whole: Tree = {}
    for path, value in sorted(settings.items()):
        name, bracket, _ = path.partition("[")
        whole[name] = [*whole.get(name, []), value] if bracket else value
    return whole
