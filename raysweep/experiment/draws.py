"""Samples of a search space, resolved as trials would be: what is wrong with it shows before anything starts."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError
from raysweep.schema import Tree
from raysweep.search.samplers import SamplerConfig
from raysweep.search.study import Space, Study, Suggestion

GRID_SAMPLES = 2000
"""Settings of a grid that are looked at before a sweep starts."""


class Draw(NamedTuple):
    """A sample of a search space, resolved."""

    params: Tree
    """What it suggested, by dotted path."""
    config: RunConfig


def check_space(sweep: SweepConfig, space: Space, samples: int = 50, values: int = 1) -> list[Draw]:
    """Draws from the space and validates every result; ConfigError names the first bad setting.

    `values`: how many a score has.
    """
    study, draws = Study(space, sweep.sampler, sweep.seed, sweep.all_pinned, values), []
    with _blaming(sweep.space):
        for params, settings in _drawn(study, samples):
            _require_plain(settings)
            draws.append(Draw(params, sweep.run(settings)))
        if sweep.sampler.kind == "grid":  # what it cannot take may hide in a rare branch
            walk = Study(space, sweep.sampler, sweep.seed, sweep.all_pinned)
            list(_drawn(walk, GRID_SAMPLES))
    return draws


def _drawn(study: Study, samples: int) -> Iterator[Suggestion]:
    """Fewer where the space has fewer."""
    for number in range(samples):
        suggestion = study.propose(number)
        if suggestion is None:
            return
        yield suggestion
        study.tell(number, "failed")


def asked_of_some(
    space: Space, name: str | None, pinned: Mapping[str, Any], samples: int = 50
) -> set[str]:
    """The paths of `pinned` that belong to some of the kinds that the space tries: it sets them in some trials
    and not in all."""
    study = Study(space, SamplerConfig(kind="random"), 0, pinned)
    with _blaming(name):
        asked = [set(settings) for _, settings in _drawn(study, samples)]
    ever, always = set.union(*asked), set.intersection(*asked)
    return {path for path in pinned if path in ever - always and not ever.isdisjoint(_kinds(path))}


def _kinds(path: str) -> Iterator[str]:
    """The settings that a path's meaning may hang on: of `a.b.c`, `a.kind` and `a.b.kind`."""
    sections = path.split(".")[:-1]
    return (".".join([*sections[: depth + 1], "kind"]) for depth in range(len(sections)))


@contextmanager
def _blaming(space: str | None) -> Iterator[None]:
    """What is raised within is a ConfigError that names the space."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"search space {space}: {error}") from None
    except Exception as error:  # the space is somebody's own code, and may raise anything
        raise ConfigError(
            f"search space {space}: space(trial) must suggest and return, and raised "
            f"{type(error).__name__}: {error}. Correct the file."
        ) from error


def _require_plain(settings: Tree) -> None:
    """The event log must give back what the space said."""
    if json.loads(json.dumps(settings)) != settings:
        raise ConfigError(
            f"it must suggest numbers, text, booleans or lists of them, got {settings}. Write tuples as lists."
        )
