"""Samples of a search space, resolved as trials would be: what is wrong with it shows before anything starts."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution

from raysweep.config import RunConfig, SweepConfig
from raysweep.errors import ConfigError
from raysweep.schema import Tree
from raysweep.search.bounds import told
from raysweep.search.given import Unfit, require_inside, watched
from raysweep.search.samplers import SamplerConfig
from raysweep.search.study import Space, Study, Suggestion
from raysweep.spelling import nearest

GRID_SAMPLES = 2000
"""Settings of a grid that are looked at before a sweep starts."""


class Draw(NamedTuple):
    """A sample of a search space, resolved."""

    params: Tree
    """What it suggested, by dotted path."""
    config: RunConfig
    searched: Mapping[str, BaseDistribution]
    """What each of `params` was taken from."""
    returned: Tree
    """What it set besides, by dotted path."""


def check_space(sweep: SweepConfig, space: Space, samples: int = 50, values: int = 1) -> list[Draw]:
    """Draws from the space and validates every result; ConfigError names the first bad setting.

    `values`: how many a score has.
    """
    study, draws = Study(space, sweep.sampler, sweep.seed, sweep.all_pinned, values), []
    with _blaming(sweep.space):
        for number, suggestion in enumerate(_drawn(study, samples)):
            _require_plain(suggestion.settings)
            draws.append(_resolved(sweep, study, number, suggestion))
        if sweep.sampler.kind == "grid":  # what it cannot take may hide in a rare branch
            walk = Study(space, sweep.sampler, sweep.seed, sweep.all_pinned)
            list(_drawn(walk, GRID_SAMPLES))
    return draws


def _resolved(sweep: SweepConfig, study: Study, number: int, suggestion: Suggestion) -> Draw:
    params, settings = suggestion
    returned = {path: it for path, it in settings.items() if path not in params}
    return Draw(params, sweep.run(settings), study.trial(number).distributions, returned)


def _drawn(study: Study, samples: int) -> Iterator[Suggestion]:
    """Fewer where the space has fewer."""
    for number in range(samples):
        suggestion = study.propose(number)
        if suggestion is None:
            return
        yield suggestion
        study.tell(number, "failed")


def tried(draws: Sequence[Draw]) -> dict[str, str]:
    """Each path that a space suggests or sets, and what it gets."""
    words: dict[str, list[str]] = {}
    for draw in draws:
        searched = {path: f"searched, {told(it)}" for path, it in draw.searched.items()}
        for path, word in {**searched, **_set(draw.returned)}.items():
            words.setdefault(path, []).append(word)
    return {path: _of_all(said, len(draws)) for path, said in words.items()}


def _set(settings: Tree) -> dict[str, str]:
    return {path: f"set to {value}" for path, value in settings.items()}


def _of_all(words: list[str], draws: int) -> str:
    said = " or ".join(dict.fromkeys(words))
    return said if len(words) == draws else f"{said}, in some trials"


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
        suggestion = study.propose(number, point)
        assert suggestion is not None
        draws.append(_resolved(sweep, study, number, suggestion))
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
