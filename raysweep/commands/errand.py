"""A command that is to run on a cluster, read and checked here: what it is called, and what it needs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from itertools import takewhile
from pathlib import Path, PurePath

from raysweep.commands.plan import FILES, Request, compose, compose_tasks
from raysweep.commands.spaces import load_space
from raysweep.config import RunConfig, SweepConfig
from raysweep.data import DEMO
from raysweep.data.sources.places import entries_of, is_uri
from raysweep.errors import ConfigError
from raysweep.experiment.mirror import joined
from raysweep.schema import flatten


@dataclass(frozen=True)
class Errand:
    """`raysweep` and its words, as parsed: of the settings, or of an experiment that is there."""

    words: Sequence[str]
    request: Request | None = None
    space: str | None = None
    tasks: Path | None = None
    experiment: str | None = None
    """As written."""


@dataclass(frozen=True)
class Checked:
    """An errand that the cluster can run as it is."""

    words: Sequence[str]
    name: str
    experiment: str
    """Where it lies, or will lie, on the cluster."""


def check_errand(errand: Errand, folder: Path, travels: Collection[PurePath]) -> Checked:
    """ConfigError for settings that are wrong, and for files that the job would not find.

    `travels`: the files of `folder` that the job sees as they are here.
    """
    _require_written_alike(errand, folder)
    if errand.experiment is not None:
        _require_shared("an experiment", errand.experiment, "EXPERIMENT")
        return Checked(errand.words, _name_at(errand.experiment), errand.experiment)
    for read_here in _read_at_start(errand):
        _require_travels(Path(read_here).resolve(), folder, travels, must=True)
    sweep = _composed(errand)
    for place in _files_of(sweep):
        _require_travels(Path(place), folder, travels, must=False)
    _require_shared("the folder of experiments", sweep.storage, "--storage")
    name = "prepare" if errand.words[0] == "prepare" else sweep.name
    return Checked(errand.words, name, _in(sweep.storage, sweep.name))


def _in(storage: str, name: str) -> str:
    return joined(storage, name) if is_uri(storage) else f"{storage.rstrip('/')}/{name}"


def _name_at(experiment: str) -> str:
    """`?region=` and the like may follow an address."""
    return PurePath(experiment.partition("?")[0]).name


def _composed(errand: Errand) -> SweepConfig:
    assert errand.request is not None
    if errand.tasks is not None:
        return compose_tasks(errand.request, errand.tasks)
    space = load_space(errand.space) if errand.space else None
    return compose(errand.request, space, errand.space)


def _read_at_start(errand: Errand) -> Iterator[str]:
    """Files that the command reads before anything else, here and there."""
    assert errand.request is not None
    if errand.request.config is not None:
        yield str(errand.request.config)
    if errand.tasks is not None:
        yield str(errand.tasks)
    if errand.space is not None and PurePath(errand.space).suffix:
        yield errand.space


def _files_of(sweep: SweepConfig) -> Iterator[str]:
    """What its settings name on this machine or the cluster's, absolute."""
    yield from _places(sweep.warm_start)
    for run in [sweep.run_by_hand(task) for task in sweep.tasks.values()] or [sweep.run()]:
        yield from _files_of_run(run)


def _files_of_run(run: RunConfig) -> Iterator[str]:
    settings = flatten(run.model_dump())
    for path in FILES:
        named = settings.get(path)
        if named not in (None, DEMO):
            yield from _places(named)


def _places(named: str | Sequence[str]) -> Iterator[str]:
    """Up to the first wildcard."""
    for entry in entries_of(named):
        if not is_uri(entry):
            parts = takewhile(lambda part: not has_magic(part), Path(entry).parts)
            yield str(Path(*parts))


def _require_travels(
    place: Path, folder: Path, travels: Collection[PurePath], *, must: bool
) -> None:
    """Of the folder that is submitted; a place outside of it is the cluster's own, unless it `must` travel."""
    inside = place.is_relative_to(folder)
    part = place.relative_to(folder) if inside else place
    if inside and any(path.is_relative_to(part) for path in travels):
        return
    if inside or must:
        raise ConfigError(
            f"a job sees what travels with the current folder, and {part} does not: it is not in it, or left out "
            "(.gitignore, .rayignore, data, runs, weights). Put a settings file into this folder, and footage "
            "where all nodes see it, such as s3://bucket/videos."
        )


def _require_shared(what: str, place: str, word: str) -> None:
    if not is_uri(place) and not Path(place).is_absolute():
        raise ConfigError(
            f"{what} lies where all nodes of the cluster see it, got {place}. "
            f"Give {word} an address such as s3://bucket/{place}, or an absolute path that they share."
        )


def _require_written_alike(errand: Errand, folder: Path) -> None:
    """The job's folder is another one: paths into it are relative, and none leads out of it."""
    for word in errand.words:
        value = word.rpartition("=")[2]
        if value.startswith(f"{folder}/") or ".." in PurePath(value).parts:
            raise ConfigError(
                f"a job runs in a copy of the current folder, got {value}. "
                "Name what lies in it by its relative path, and all else by an absolute one of the cluster."
            )
