"""A folder of settings files, run side by side as one experiment: a trial for each, and no search.

The earlier system's multi-task mode: `multitask/*.json` are tasks, and `multitask/config.json` says which GPU
each of them gets, or -1 for none at all: such a task is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from raysweep.commands.console import say, title
from raysweep.commands.param_file import read_settings
from raysweep.config import RunConfig, laid, read_file, run_config
from raysweep.data import FOOTAGE
from raysweep.errors import ConfigError
from raysweep.schema import Tree, flatten

ASSIGNMENTS = "config.json"
PASSED_OVER = -1


class Tasks(NamedTuple):
    base: Tree
    """What all tasks have in common."""
    settings: dict[str, Tree]
    """By file name: what a task has besides, by dotted path."""


def read_tasks(folder: Path, pinned: Mapping[str, Any], gpus: float) -> Tasks:
    """`pinned` lies over every task; prints what became of each, and of the assignment of GPUs.

    ConfigError where one is not valid, or two cannot stand side by side.
    """
    files = _chosen(folder, _files(folder))
    other_source = "data.source" in pinned
    trees = {
        file.name: laid(read_settings(file, gpus, other_source, of_runs_alone=True), pinned)
        for file in files
    }
    _require_side_by_side({name: _run(name, tree) for name, tree in trees.items()})
    base = shared(list(trees.values()))
    common = flatten(base)
    own = {name: _besides(flatten(tree), common) for name, tree in trees.items()}
    return Tasks(base, own)


def shared(trees: Sequence[Mapping[str, Any]]) -> Tree:
    """What all trees say alike; nothing below a place where they name different kinds."""
    first, *others = trees
    if any(tree.get("kind") != first.get("kind") for tree in others):
        return {}
    common: Tree = {}
    for name, value in first.items():
        values = [tree.get(name) for tree in trees]
        if all(isinstance(each, Mapping) for each in values):
            common[name] = shared([tree[name] for tree in trees])
        elif all(name in tree and tree[name] == value for tree in others):
            common[name] = value
    return common


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.json"))
    tasks = [path for path in files if path.name != ASSIGNMENTS and path.name[0] != "."]
    if not tasks:
        raise ConfigError(
            f"--tasks takes a folder with a .json file for each task, and {folder} has none. "
            "Name the folder of your param.json files."
        )
    return tasks


def _chosen(folder: Path, files: Sequence[Path]) -> list[Path]:
    """The files that `config.json` does not pass over."""
    path = folder / ASSIGNMENTS
    if not path.exists():
        return list(files)
    title(f"what became of {path.name}")
    names, skipped = {file.stem for file in files}, set()
    for name, gpu in _assignments(read_file(path)):
        if name not in names:
            say(f"{name} = {gpu} -> no task of this name in {folder}")
        elif gpu == PASSED_OVER:
            skipped.add(name)
            say(f"{name} = {gpu} -> this task is passed over")
        else:
            say(f"{name} = {gpu} -> which GPU a task gets is Ray's business")
    chosen = [file for file in files if file.stem not in skipped]
    if not chosen:
        raise ConfigError(
            f"--tasks needs a task to run, and {path} passes over every one ({PASSED_OVER}). "
            "Give one of them another number."
        )
    return chosen


def _assignments(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A task's name without its suffix, and the GPU it is given, at whatever depth they stand."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _assignments(value)
        else:
            numbers = {str(PASSED_OVER): PASSED_OVER}
            yield name.removesuffix(".json"), numbers.get(str(value), value)


def _besides(settings: Tree, common: Tree) -> Tree:
    return {path: value for path, value in settings.items() if path not in common}


def _run(name: str, tree: Tree) -> RunConfig:
    try:
        run = run_config(tree)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    if run.training.validate_every == 0:
        raise ConfigError(
            f"{name}: training.validate_every must be above 0 beside other tasks, got 0. "
            "Set it to about a tenth of training.steps."
        )
    if run.data.split == "none":
        raise ConfigError(
            f"{name}: tasks are ranked on validation frames, and it names none. Add data_process.vaild, or "
            "--set data.split=auto."
        )
    return run


def _require_side_by_side(runs: Mapping[str, RunConfig]) -> None:
    """Trials of an experiment read one store, and are scored on the same frames."""
    (first, one), *others = runs.items()
    for (second, other), setting in product(others, (*FOOTAGE, *one.data.scored_on)):
        a, b = getattr(one.data, setting), getattr(other.data, setting)
        if a != b:
            raise ConfigError(
                "tasks of one folder share their footage and the frames that they are scored on, and "
                f"{first} has data.{setting} {a} where {second} has {b}. Move one of them into another "
                "folder, or give both the same with --set."
            )
