"""What decides how an old file is read: its model, its quantizer, whose losses, which machine."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from raysweep.errors import ConfigError
from raysweep.legacy import defaults, tables
from raysweep.legacy.device import device
from raysweep.legacy.rules import Rule, Rules, Sets, above_zero, gone, number, to
from raysweep.models import called
from raysweep.schema import Tree


class Setup(NamedTuple):
    """What decides which tables a file is read by."""

    kind: str
    """`model.kind`."""
    quantizer: str
    """`model.quantizer.kind`."""
    recipe: str
    """A key of tables.RECIPES."""
    use_gan: bool
    gpus: float
    """Of this machine."""


def setup_of(given: Mapping[str, Any], gpus: float) -> Setup:
    """Of a file's settings by dotted path; ConfigError where they contradict one another."""
    named = str(given.get("model_type", tables.DEFAULT_TYPE))
    try:
        family = called(named)
    except ConfigError as error:
        raise ConfigError(f"model_type: {error}") from None
    kind = family["kind"]
    use_gan = bool(given.get("train_args.use_gan", True))
    setup = Setup(kind, _quantizer(named, family, given), _recipe(kind, given), use_gan, gpus)
    _require_levels(given, setup)
    return setup


def _quantizer(named: str, family: Tree, given: Mapping[str, Any]) -> str:
    said = family.get("quantizer", {}).get("kind")
    variant = given.get("model_args.model_variant")
    if variant is None or family["kind"] != "taming_vqgan":
        plain = tables.PLAIN_QUANTIZERS[family["kind"]]
        stands_still = plain == "ema" and given.get("model_args.decay") == 0
        return said or ("gradient" if stands_still else plain)
    if variant not in list(tables.VARIANTS):  # it may be a list itself
        known = " or ".join(tables.VARIANTS)
        raise ConfigError(f"model_args.model_variant must be {known}, got {variant!r}. Set one.")
    if said not in (None, tables.VARIANTS[variant]):
        raise ConfigError(
            f"model_type {named!r} and model_args.model_variant {variant!r} contradict each other. "
            "Remove one of them."
        )
    return tables.VARIANTS[variant]


def _recipe(kind: str, given: Mapping[str, Any]) -> str:
    if kind == "conv":
        return "lightning"
    asked = given.get("train_args.use_taming_loss", True)
    return "taming" if kind == "taming_vqgan" and asked else "classic"


def _require_levels(given: Mapping[str, Any], setup: Setup) -> None:
    """nb_levels and scaling_rates count the same levels."""
    levels = given.get("model_args.nb_levels")
    if levels is None or setup.kind != "hierarchical":
        return
    usual = defaults.OF_MODEL[setup.kind, setup.quantizer]["model.scaling_rates"]
    rates = given.get("model_args.scaling_rates", given.get("scaling_rates", usual))
    if isinstance(rates, list) and len(rates) != levels:
        said = " (as by default)" if rates is usual else ""
        raise ConfigError(
            f"scaling_rates needs an entry per level, got model_args.nb_levels {levels} and scaling_rates "
            f"{rates}{said}. Correct one of them."
        )


def rules_of(setup: Setup, given: Mapping[str, Any]) -> Rules:
    """By which every setting of the file is read."""
    return {
        **tables.COMMON,
        **tables.FAMILIES[setup.kind],
        **tables.QUANTIZERS[setup.quantizer],
        **tables.RECIPES[setup.recipe],
        **({} if setup.use_gan else tables.WITHOUT_GAN[setup.recipe]),
        **_choices(setup),
        **_gradient_weights(setup, given),
        **dict.fromkeys(("train_args.device", "train_args.accelerator"), device(setup.gpus)),
    }


def _choices(setup: Setup) -> Rules:
    """The settings that decided on the tables, as rows of the account."""
    quantizer = {"model.quantizer.kind": setup.quantizer}
    classic = {"loss.preset": "classic"} if setup.recipe == "classic" else {}
    off = {} if setup.use_gan else tables.NO_GAN[setup.recipe]
    choices: dict[str, Rule] = {
        "model_type": lambda value: Sets({"model.kind": setup.kind, **quantizer}),
        "train_args.use_gan": lambda value: Sets(off),
        "train_args.use_taming_loss": gone("only a taming model has a lossconfig"),
    }
    if setup.kind == "taming_vqgan":
        choices["model_args.model_variant"] = lambda value: Sets(quantizer)
        choices["train_args.use_taming_loss"] = lambda value: Sets(classic)
    if setup.recipe == "lightning":
        choices["train_args.use_gan"] = gone("VQVAEModel's GAN is its lambda_gan")
    return choices


def _gradient_weights(setup: Setup, given: Mapping[str, Any]) -> Rules:
    """lambda_vq x codebook + lambda_commit x commitment, as our codebook_weight x (codebook + beta x commitment)."""
    weight = given.get("model_args.lambda_vq")
    if setup.quantizer != "gradient" or weight is None:
        return {}

    def beta(value: Any) -> float:
        return number(value) / above_zero(weight)

    return {"model_args.lambda_commit": to("model.quantizer.beta", by=beta, note="over lambda_vq")}
