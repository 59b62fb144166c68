"""What becomes of one old setting: it sets some of ours, or it has no meaning any more."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from raysweep.errors import ConfigError


class Sets(NamedTuple):
    """Our settings by dotted path; none where the old value says what holds anyway."""

    settings: Mapping[str, Any]
    note: str = ""
    """What a user should know of the difference, in a line."""


class Gone(NamedTuple):
    reason: str


Rule = Callable[[Any], Sets | Gone]
"""An old value -> what becomes of it; ConfigError for a value that cannot be honoured."""
Rules = Mapping[str, Rule]
"""By old dotted path."""


def to(*paths: str, by: Callable[[Any], Any] = lambda value: value, note: str = "") -> Rule:
    """The value, converted, under each of our `paths`."""
    return lambda value: Sets(dict.fromkeys(paths, by(value)), note)


def gone(reason: str) -> Rule:
    return lambda value: Gone(reason)


def only(allowed: Any, reason: str) -> Rule:
    """`reason` says why there is no choice: another value than `allowed` is refused with it."""

    def rule(value: Any) -> Gone:
        if value != allowed:
            raise ConfigError(f"{reason}, got {value!r}. Set it to {allowed!r}")
        return Gone(reason)

    return rule


def one_of(table: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """A converter that refuses what the table does not hold; text counts in any letter case."""

    def convert(value: Any) -> Any:
        asked = value.casefold() if isinstance(value, str) else value
        for known, new in table.items():
            if known == asked:
                return new
        names = ", ".join(map(str, table))
        raise ConfigError(f"must be one of {names}, got {value!r}. Choose one of them")

    return convert


def number(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise ConfigError(f"must be a number, got {value!r}. Set it to one")
    return float(value)


def above_zero(value: Any) -> float:
    if number(value) <= 0:
        raise ConfigError(f"must be above 0, got {value!r}. Set it to 1.0")
    return float(value)


def all_under(prefix: str, rules: Rules) -> dict[str, Rule]:
    """`all_under("train_args", {"lr": ...})` is `{"train_args.lr": ...}`."""
    return {f"{prefix}.{name}": rule for name, rule in rules.items()}


def synonyms(names: str, rule: Rule) -> dict[str, Rule]:
    """One rule for several old names, given in one string."""
    return dict.fromkeys(names.split(), rule)
