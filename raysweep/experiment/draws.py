"""Samples of a search space, resolved as trials would be: what is wrong with it shows before anything starts."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError
from raysweep.schema import Tree
from raysweep.search.given import Unfit, require_inside, watched
from raysweep.search.study import SamplerConfig, Space, Study
from raysweep.spelling import nearest


class Draw(NamedTuple):
    """A sample of a search space, resolved."""

    params: Tree
    """What it suggested, by dotted path."""
    config: RunConfig


def check_space(sweep: SweepConfig, space: Space, samples: int = 50) -> list[Draw]:
    """Draws from the space and validates every result; ConfigError names the first bad setting."""
    study, draws = Study(space, sweep.sampler, sweep.seed, sweep.all_pinned), []
    for number in range(samples):
        with _blaming(sweep.space):
            params, settings = study.propose(number)
            _require_plain(settings)
            draws.append(Draw(params, sweep.run(settings)))
        study.tell(number, "failed")
    return draws


def check_points(sweep: SweepConfig, space: Space, samples: int = 50) -> list[Draw]:
    """The sweep's points, completed by samples of the space; ConfigError where it would never suggest one."""
    draws = []
    for number, point in enumerate(sweep.points, 1):
        try:
            draws += _completed(sweep, space, point, samples)
        except Unfit as error:
            raise ConfigError(
                f"point {number} must be what search space {sweep.space} can suggest, and {error}. "
                "Correct it, or leave that setting out."
            ) from None
    return draws


def _completed(sweep: SweepConfig, space: Space, point: Tree, samples: int) -> list[Draw]:
    """Unfit where the point lies outside the space."""

    def check(name: str, distribution: BaseDistribution) -> None:
        if name in point:
            require_inside(name, point[name], distribution)

    study, draws = Study(watched(space, check), sweep.sampler, sweep.seed, sweep.all_pinned), []
    for number in range(samples):
        params, settings = study.propose(number, point)
        draws.append(Draw(params, sweep.run(settings)))
        study.tell(number, "failed")
    _require_asked(point, {path for draw in draws for path in draw.params})
    return draws


def _require_asked(point: Tree, asked: Iterable[str]) -> None:
    for path in point:
        if path not in asked:
            near = nearest(path, asked)
            hint = f" (did you mean {near}?)" if near else ""
            raise Unfit(f"it never suggests {path}{hint}")


def asked_of_some(
    space: Space, name: str | None, pinned: Mapping[str, Any], samples: int = 50
) -> set[str]:
    """The paths of `pinned` that belong to some of the kinds that the space tries: it sets them in some trials
    and not in all."""
    study, asked = Study(space, SamplerConfig(kind="random"), 0, pinned), []
    for number in range(samples):
        with _blaming(name):
            asked.append(set(study.propose(number)[1]))
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
