"""A search space without Python: a YAML file of what is tried, and between which bounds.

question: Does a GAN pay on this footage, and from when on?
base: {data: {resolution: 128}}        # settings of every trial, weaker than the config file
sweep: {budget: {trials: 32}}          # settings of the search itself
space:                                 # dotted path -> what is tried
  training.schedule: cosine            # one value: always that
  model.quantizer.kind: {values: [ema, fsq]}
  model.quantizer.decay: {values: [0.9, 0.99], when: {model.quantizer.kind: ema}}
  loss.disc_start: {min: 0.2, max: 0.9, step: 0.1}
  loss.disc_weight: {min: 1e-2, max: 1, log: true}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import optuna
import yaml
from pydantic import Field, StrictFloat, StrictInt, model_validator

from raysweep.errors import ConfigError
from raysweep.schema import Config, Tree, parse
from raysweep.spelling import nearest

Number = StrictInt | StrictFloat


class Dimension(Config):
    """What is tried of one setting: `values`, or all from `min` to `max`."""

    min: Number | None = Field(default=None, allow_inf_nan=False)
    max: Number | None = Field(default=None, allow_inf_nan=False)
    """Itself included. Where min, max and step are whole, whole numbers are tried."""
    log: bool = False
    """As many tries from 0.01 to 0.1 as from 0.1 to 1."""
    step: Number | None = Field(default=None, gt=0)
    """Tried are min, min + step, min + 2 step, ...; None: all numbers between."""
    values: list[Any] | None = Field(default=None, min_length=1)
    """One of these, which have no order."""
    when: dict[str, Any] = Field(default_factory=dict)
    """Paths further up in the file, each with a value or a list of values: this one is asked in trials where
    they have been asked and have such a value. Empty: in all."""

    @property
    def conditions(self) -> dict[str, list[Any]]:
        """`when`, each with all its values."""
        return {path: it if isinstance(it, list) else [it] for path, it in self.when.items()}

    def is_asked(self, asked: Mapping[str, Any]) -> bool:
        """`asked`: what the trial has so far."""
        return all(
            path in asked and asked[path] in wanted for path, wanted in self.conditions.items()
        )

    def holds(self, value: Any) -> bool:
        """Whether a trial may get it."""
        if self.values is not None:
            return value in self.values
        low, high = self._bounds
        return isinstance(value, int | float) and low <= value <= high

    def suggest(self, trial: optuna.Trial, path: str) -> Any:
        if self.values is not None:
            return trial.suggest_categorical(path, self.values)
        low, high = self._bounds
        if isinstance(low, int) and isinstance(high, int) and not isinstance(self.step, float):
            return trial.suggest_int(path, low, high, step=self.step or 1, log=self.log)
        return trial.suggest_float(path, low, high, step=self.step, log=self.log)

    @property
    def _bounds(self) -> tuple[int | float, int | float]:
        assert self.min is not None
        assert self.max is not None
        return self.min, self.max

    @model_validator(mode="after")
    def _is_values_or_a_range(self) -> Self:
        of_range = [n for n in ("min", "max", "log", "step") if n in self.model_fields_set]
        if self.values is not None and of_range:
            raise ValueError(f"takes values or a range, got values and {of_range[0]}. Remove one")
        if self.values is None and (self.min is None or self.max is None):
            raise ValueError("takes values, or min and max. Write for example {min: 1, max: 4}")
        if self.values is None:
            self._require_range()
        return self

    def _require_range(self) -> None:
        low, high = self._bounds
        if low > high:
            raise ValueError(f"min must be at most max, got {low} and {high}. Swap them")
        if self.log and low <= 0:
            raise ValueError(f"log needs min above 0, got {low}. Raise it, or remove log")
        if self.log and self.step is not None:
            raise ValueError("log has no steps, got both log and step. Remove one of them")
        if self.step is not None:
            _require_whole_steps(low, high, self.step)


@dataclass(frozen=True)
class FileSpace:
    """A search space, as a Python one is: call it with a trial."""

    question: str
    base: Tree
    sweep: Tree
    fixed: Tree
    """Settings of every trial that are no matter of choice; stronger than the config file."""
    dimensions: Mapping[str, Dimension]

    def __call__(self, trial: optuna.Trial) -> Tree:
        asked: Tree = {}
        for path, dimension in self.dimensions.items():
            if dimension.is_asked(asked):
                asked[path] = dimension.suggest(trial, path)
        return self.fixed


class _Sections(Config):
    """Of the file."""

    question: str = Field(min_length=1)
    base: Tree = Field(default_factory=dict)
    sweep: Tree = Field(default_factory=dict)
    space: Tree = Field(min_length=1)


def parse_space(text: str, file: str) -> FileSpace:
    """A file's text -> its space; ConfigError, which names `file`, for the first thing wrong."""
    try:
        sections = parse(_Sections, _mapping(yaml.load(text, _Loader)))
        return _space(sections)
    except yaml.YAMLError as error:
        raise ConfigError(f"search space {file} is no YAML: {error}. Correct it.") from None
    except ConfigError as error:
        raise ConfigError(f"search space {file}: {error}") from None


def _space(sections: _Sections) -> FileSpace:
    fixed: Tree = {}
    dimensions: dict[str, Dimension] = {}
    for path, entry in sections.space.items():
        try:
            if not isinstance(entry, list | dict):
                fixed[path] = entry
                continue
            dimensions[path] = _dimension(entry, dimensions, list(sections.space))
        except ConfigError as error:
            raise ConfigError(f"space.{path}: {error}") from None
    return FileSpace(sections.question, sections.base, sections.sweep, fixed, dimensions)


def _dimension(
    entry: list[Any] | Tree, earlier: Mapping[str, Dimension], paths: list[str]
) -> Dimension:
    if isinstance(entry, list):
        raise ConfigError(f"a list stands under values, got {entry}. Write {{values: {entry}}}.")
    dimension = parse(Dimension, entry)
    for path, wanted in dimension.conditions.items():
        _require_reachable(path, wanted, earlier, paths)
    return dimension


def _require_reachable(
    path: str, wanted: list[Any], earlier: Mapping[str, Dimension], paths: list[str]
) -> None:
    """Some trial can have one of the values there."""
    if path not in earlier:
        near = nearest(path, earlier)
        hint = f" Did you mean {near!r}?" if near else ""
        there = "is fixed or stands further down" if path in paths else "is not in the file"
        raise ConfigError(f"when names searched paths further up, and {path!r} {there}.{hint}")
    if not wanted:
        raise ConfigError(f"when wants a value of {path}, got an empty list. Name one.")
    for value in wanted:
        if not earlier[path].holds(value):
            near = nearest(str(value), map(str, earlier[path].values or ()))
            hint = f"Did you mean {near!r}?" if near else f"Name one that {path} can have."
            raise ConfigError(f"when wants {path} to be {value!r}, which it never is. {hint}")


def _require_whole_steps(low: float, high: float, step: float) -> None:
    """In decimals, as they are written: of 0.9 - 0.3, binary floats make 0.6000000000000001."""
    first, last, each = (Decimal(str(number)) for number in (low, high, step))
    if (last - first) % each:
        reached = first + (last - first) // each * each
        raise ValueError(
            f"max must be whole steps above min, got {high} with steps of {step} from {low}. "
            f"Set max to {reached}"
        )


def _mapping(tree: Any) -> Tree:
    if not isinstance(tree, dict):
        raise ConfigError(f"must hold question and space, got {type(tree).__name__}. Add them.")
    return tree


class _Loader(yaml.SafeLoader):
    """As YAML 1.2 has it, 1e-4 is a number; and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ConfigError(f"{name} stands twice. Remove one of them.")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
