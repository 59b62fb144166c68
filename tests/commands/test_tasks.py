"""`sweep --tasks FOLDER`: every file a trial, by name, side by side, none of them stopped."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from raysweep.cluster.resources import Capacity
from raysweep.commands.standing import standing
from raysweep.commands.tasks import shared
from raysweep.experiment.layout import Experiment
from raysweep.schema import Tree
from tests.fakes import by_weight, execute

PINNED = {"loss.perceptual_init": "random", "data.resolution": 64, "model.hidden": 16}
OFFLINE = ["--data", "demo", *(f"--set={path}={value}" for path, value in PINNED.items())]
SWEEP = ["sweep", "--tasks", "multitask", *OFFLINE]
TASKS: dict[str, Tree] = {
    "b.json": {"model_type": "VQVAE2", "train_args": {"disc_start": 10, "num_steps": 20}},
    "a.json": {
        "model_type": "VqVae2",
        "model_args": {"n_hid": 32},
        "train_args": {"num_steps": 20},
    },
    "c.json": {"model_type": "VqVae2", "train_args": {"use_gan": False, "num_steps": 40}},
}


def write(folder: Path, files: dict[str, Tree]) -> None:
    (folder / "multitask").mkdir(exist_ok=True)
    for name, settings in files.items():
        (folder / "multitask" / name).write_text(json.dumps(settings))


@pytest.fixture
def tasks(folder: Path) -> Experiment:
    write(folder, TASKS)
    return Experiment(folder / "runs" / "multitask")


@pytest.fixture
def _loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain loop where Ray would be."""
    from raysweep.commands import sweep

    monkeypatch.setattr(sweep, "connected", nullcontext)
    monkeypatch.setattr(sweep, "_prepare", lambda now, run: SimpleNamespace(manifest=None))
    monkeypatch.setattr(sweep, "_resolve", lambda now, store, run: run)
    monkeypatch.setattr(
        sweep, "execute", lambda conductor, *_, room: execute(conductor, by_weight, room.at_once())
    )
    monkeypatch.setattr(sweep.resources, "cluster_capacity", lambda: Capacity(3, 0))


def test_a_dry_run_lists_the_tasks(run, folder, tasks):
    code, out, error = run(*SWEEP, "--dry-run")
    assert (code, error) == (0, "")
    listed = [line for line in out.splitlines() if line in TASKS]
    assert listed == sorted(TASKS)
    assert str(tasks.folder) in out
    assert not tasks.folder.exists()


@pytest.mark.usefixtures("_loop")
def test_every_task_runs_to_its_end_under_its_name(run, tasks):
    code, out, error = run(*SWEEP)
    assert (code, error) == (0, "")
    now = standing(tasks)
    assert [record.origin for record in now.trials.values()] == sorted(TASKS)
    assert {record.state for record in now.trials.values()} == {"finished"}  # none stopped early
    kinds = [now.sweep.run_by_hand(r.settings).model.kind for r in now.trials.values()]
    assert kinds == ["grouped", "hierarchical", "grouped"]
    assert all(name in out for name in TASKS)
    assert all(name in run("status", tasks.folder).out for name in TASKS)
    assert all(name in tasks.leaderboard.read_text() for name in TASKS)


@pytest.mark.usefixtures("_loop")
def test_a_task_means_what_it_means_alone(run, folder, tasks):
    run(*SWEEP)
    now = standing(tasks)
    for record in now.trials.values():
        (folder / "alone.json").write_text(json.dumps(TASKS[record.origin]))
        name = ["--name", record.trial, "--config", "alone.json"]
        assert run("train", *name, *OFFLINE).code == 0
        alone = standing(Experiment(folder / "runs" / record.trial)).sweep.run()
        assert now.sweep.run_by_hand(record.settings) == alone


@pytest.mark.usefixtures("_loop")
def test_a_driver_killed_before_all_tasks_were_in_line_is_resumed(run, tasks):
    run(*SWEEP)
    lines = tasks.events.read_text().splitlines(keepends=True)
    tasks.events.write_text(lines[0])
    assert run("resume", tasks.folder).code == 0
    assert [record.origin for record in standing(tasks).trials.values()] == sorted(TASKS)


GPUS: list[Tree] = [
    {"a": 0, "b.json": -1, "c": 1},
    {"gpus": {"a.json": 0, "b.json": "-1", "c.json": 3}},
]


@pytest.mark.parametrize("gpus", GPUS, ids=str)
def test_config_json_is_no_task_and_passes_tasks_over(run, folder, tasks, gpus):
    write(folder, {"config.json": gpus})
    code, out, _ = run(*SWEEP, "--dry-run")
    assert code == 0
    assert [line for line in out.splitlines() if line in TASKS] == ["a.json", "c.json"]
    assert "b = -1 -> this task is passed over" in out
    assert "a = 0 -> which GPU a task gets is Ray's business" in out


REFUSED: list[tuple[dict[str, Tree], list[str], list[str]]] = [
    ({}, [], ["multitask", "has none"]),
    ({"config.json": {}}, [], ["multitask", "has none"]),
    ({"a.json": {"model_type": "VQGAN"}, "config.json": {"a": -1}}, [], ["passes over every one"]),
    (
        {
            "a.json": {"model_type": "VQGAN", "data_process": {"train": "x", "vaild": "y"}},
            "b.json": {"model_type": "VQGAN", "data_process": {"train": "z", "vaild": "y"}},
        },
        [],
        ["a.json", "b.json", "data.source", "x", "z", "another folder"],
    ),
    (
        {
            "a.json": {"model_type": "VqVae2"},
            "b.json": {"model_type": "VqVae2", "data_args": {"sequence_length": 4}},
        },
        OFFLINE,
        ["a.json", "b.json", "data.clip_length", "scored on", "another folder"],
    ),
    ({"a.json": {"model_type": "nothing"}}, [], ["'nothing'"]),
    (
        {"a.json": {"train_args": {"validation_interval": 0}}},
        OFFLINE,
        ["validate_every", "a tenth"],
    ),
    ({"a.json": {"data_process": {"train": "x"}}}, [], ["a.json", "validation frames"]),
    (
        {"a.json": {"model_type": "VqVae2"}, "b.json": {"data_args": {"batch_size": 0}}},
        OFFLINE,
        ["b.json", "batch_size"],
    ),
    ({"a.json": {}}, ["--config", "x.yaml"], ["--tasks", "--config"]),
    ({"a.json": {}}, ["smoke"], ["a space or --tasks"]),
]


@pytest.mark.parametrize(("files", "words", "pieces"), REFUSED, ids=str)
def test_tasks_that_cannot_run_are_refused_in_a_line(run, folder, files, words, pieces):
    write(folder, files)
    code, _, error = run("sweep", "--tasks", "multitask", *words)
    assert code == 2
    assert error.count("\n") == 1
    assert [piece for piece in pieces if piece not in error] == []


def test_one_of_a_space_and_tasks_is_needed(run):
    assert run("sweep").code == 2


SHARED: list[tuple[list[Tree], Tree]] = [
    ([{"a": 1, "b": 2}, {"a": 1, "b": 3}], {"a": 1}),
    ([{"m": {"kind": "x", "n": 1}}, {"m": {"kind": "y", "n": 1}}], {"m": {}}),
    ([{"m": {"kind": "x", "n": 1}}, {"m": {"kind": "x", "n": 1}}], {"m": {"kind": "x", "n": 1}}),
    ([{"a": None}, {}], {}),
    ([{"a": {"b": 1}}, {"a": 3}], {}),
    ([{"a": 1}], {"a": 1}),
]


@pytest.mark.parametrize(("trees", "expected"), SHARED, ids=str)
def test_shared_is_what_all_say_alike(trees, expected):
    assert shared(trees) == expected
