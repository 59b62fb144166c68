"""What a person writes for `objective` and `constraints`: names, weights and bounds.

Which metrics there are is not known here.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, NamedTuple

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from raysweep.errors import ConfigError
from raysweep.search.objective import Constraint


def _in_one_line(asked: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(asked)
    except ValidationError:
        raise ValueError(
            f"it must be a metric, a list of metrics, or a weight for each, got {asked!r}. "
            "Write psnr, [psnr, lpips] or {psnr: 1, lpips: 20}"
        ) from None


Asked = Annotated[str | tuple[str, ...] | dict[str, float], WrapValidator(_in_one_line)]
"""`psnr`, `[psnr, lpips]` or `{psnr: 1, lpips: 20}`."""

OPERATORS = {">=": True, "<=": False}
"""How a bound is written -> whether it is a minimum."""


class Wanted(NamedTuple):
    names: tuple[str, ...]
    weights: tuple[float, ...]
    """One for each name, or none at all."""


def read_objective(asked: str | tuple[str, ...] | Mapping[str, float]) -> Wanted:
    """ConfigError for none at all, and for weights that are not above 0."""
    if not asked:
        raise ConfigError(
            f"an objective must name a metric, got {asked!r}. Write for example psnr."
        )
    if isinstance(asked, str):
        return Wanted((asked,), ())
    if not isinstance(asked, Mapping):
        return Wanted(tuple(asked), ())
    for name, weight in asked.items():
        _require_weight(name, weight)
    return Wanted(tuple(asked), tuple(asked.values()))


def read_constraint(text: str) -> Constraint:
    """`code_usage >= 0.5`; ConfigError where it is no bound."""
    metric, operator, bound = (part.strip() for part in _split(text))
    if operator not in OPERATORS:
        near = [known for known in OPERATORS if known[0] in operator]
        hint = f"Did you mean {near[0]!r}?" if len(near) == 1 else "Choose one of them."
        raise ConfigError(
            f"a constraint's operator must be {' or '.join(OPERATORS)}, got {operator!r} in {text!r}. {hint}"
        )
    return Constraint(metric, _number(bound, text), OPERATORS[operator])


def _require_weight(name: str, weight: float) -> None:
    if not (isfinite(weight) and weight > 0):
        hint = f"Write {-weight:g}." if isfinite(weight) and weight else "Leave the metric out."
        raise ConfigError(
            "an objective's weights must be above 0, since each metric counts in its better direction, "
            f"got {name}: {weight:g}. {hint}"
        )


def _split(text: str) -> tuple[str, str, str]:
    """Metric, operator and bound; the operator is all that is neither part of a name nor of a number."""
    found = re.fullmatch(r"\s*([\w/]+)\s*([^\w\s/.+-]+)\s*([\w.+-]+)\s*", text)
    if found is None:
        raise _unreadable(text)
    metric, operator, bound = found.groups()
    return metric, operator, bound


def _number(bound: str, text: str) -> float:
    try:
        number = float(bound)
    except ValueError:
        raise _unreadable(text) from None
    if not isfinite(number):
        raise _unreadable(text)
    return number


def _unreadable(text: str) -> ConfigError:
    return ConfigError(
        f"a constraint must be a metric, >= or <=, and a number, got {text!r}. "
        "Write for example code_usage >= 0.5."
    )
