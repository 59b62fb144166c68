"""The base of every settings class, and how settings from several places become one.

Settings travel as plain nested dicts until the last moment: defaults, preset, file, search space and
`--set` are laid over one another by `merge` and `override`, and validated once by `parse`.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from raysweep.errors import ConfigError
from raysweep.spelling import nearest

Tree = dict[str, Any]
"""Settings as a nested dict, not yet validated."""


class Config(BaseModel):
    """Settings that never change once made; an unknown name is an error that offers the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_names(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name in data:
                if name not in cls.model_fields:
                    raise ValueError(_unknown(str(name), list(cls.model_fields)))
        return data


ConfigT = TypeVar("ConfigT", bound=Config)


def parse(kind: type[ConfigT], tree: Mapping[str, Any]) -> ConfigT:
    """Validates `tree` as `kind`; raises ConfigError with one line for the first thing wrong."""
    try:
        return kind.model_validate(dict(tree))
    except ValidationError as error:
        raise ConfigError(_first_line(error, tree)) from None


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Tree:
    """`above` laid over `below`; where `above` names another `kind`, the old kind's settings go."""
    if "kind" in above and above["kind"] != below.get("kind", above["kind"]):
        below = {}
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        merged[name] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def override(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """Lays dotted paths over `tree`: `{"loss.disc_start": 100}`; every `kind` first, from the outside in."""
    result = dict(tree)
    for path in sorted(changes, key=_kinds_first):
        result = merge(result, nest(path, changes[path]))
    return result


def _kinds_first(path: str) -> tuple[bool, int]:
    names = path.split(".")
    return names[-1] != "kind", len(names)


def nest(path: str, value: Any) -> Tree:
    """`nest("a.b", 1)` is `{"a": {"b": 1}}`."""
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Tree:
    """The inverse of `override` on an empty tree: dotted path to leaf."""
    flat: Tree = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        flat |= flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat


def parse_assignment(text: str) -> tuple[str, Any]:
    """`"loss.disc_start=100"` as written after `--set` -> `("loss.disc_start", 100)`; the value is YAML."""
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise ConfigError(
            f"--set takes path=value, got {text!r}. Write for example --set training.steps=1000"
        )
    try:
        return path.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(
            f"--set {path}: {value!r} is not a YAML value. Quote it if it is text."
        ) from None


def _unknown(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    hint = f"did you mean {near!r}?" if near else f"known here: {', '.join(sorted(known))}"
    return f"unknown setting {name!r}; {hint}"


def _first_line(error: ValidationError, tree: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    path = _path(first["loc"], tree)
    if first["type"] == "union_tag_invalid":
        tags, tag = first["ctx"]["expected_tags"], first["ctx"]["tag"]
        return f"{path}.kind: Input should be one of {tags}, got {tag!r}."
    if first["type"] == "tuple_type":
        return f"{path}: must be a list, got {first['input']!r}. Write it as [{first['input']}]."
    message = first["msg"].removeprefix("Value error, ").removesuffix(".")
    value = "" if first["type"] in ("missing", "value_error") else f", got {first['input']!r}"
    end = "" if message.endswith("?") else "."
    says_where = not path or message.startswith(f"{path}.")
    return f"{'' if says_where else f'{path}: '}{message}{value}{end}"


def _path(location: tuple[int | str, ...], tree: Any) -> str:
    """Dotted, as a person wrote it: without the `kind` or the type that pydantic puts below a union's name."""
    names = []
    for name in location:
        if isinstance(tree, Mapping) and name not in tree and name == tree.get("kind"):
            continue
        if isinstance(name, str) and not isinstance(tree, Mapping):
            continue
        names.append(str(name))
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return ".".join(names)
