"""Commands on an experiment that lies on an S3 server, with a plain loop where Ray would be."""

import shutil
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from raysweep.cluster.resources import Capacity
from raysweep.experiment.mirror import CACHE
from tests.fakes import execute

SWEEP = ("sweep", "smoke", "--trials", "3", "--set", "scheduler.kind=none")


@pytest.fixture
def storage(s3, monkeypatch) -> str:
    """An address; what would run on Ray plays through at once."""
    from raysweep.commands import sweep

    def at_once(conductor, *_, room):
        execute(conductor)

    monkeypatch.setattr(sweep, "connected", nullcontext)
    monkeypatch.setattr(sweep, "_prepare", lambda now, run: SimpleNamespace(manifest=None))
    monkeypatch.setattr(sweep, "_resolve", lambda now, manifest, run: run)
    monkeypatch.setattr(sweep, "execute", at_once)
    monkeypatch.setattr(sweep.resources, "cluster_capacity", lambda: Capacity(2, 0))
    return s3.address(f"{s3.new_bucket()}/runs")


def experiment(storage: str) -> str:
    return storage.replace("/runs", "/runs/smoke")


@pytest.fixture
def swept(run, storage, tmp_path, monkeypatch) -> str:
    """The address of an experiment that is over, on another machine than made it."""
    assert run(*SWEEP, "--storage", storage).code == 0
    monkeypatch.setenv(CACHE, str(tmp_path / "elsewhere"))
    return experiment(storage)


def test_a_sweep_leaves_on_the_server_what_it_leaves_in_a_folder(swept, s3):
    bucket = swept.removeprefix("s3://").partition("?")[0]
    names = s3.names(bucket)
    assert {"sweep.yaml", "space.py", "leaderboard.csv", "optuna.journal"} <= set(names)
    assert "events/000001.jsonl" in names
    assert not [name for name in names if name.startswith("drivers")]


def test_it_is_told_of_and_gone_on_with_from_another_machine(run, swept):
    status = run("status", swept)
    assert status.code == 0
    assert "3 finished" in status.out
    assert f"`raysweep resume '{swept}' --trials" in status.out
    assert run("resume", swept, "--trials", "2").code == 0
    assert "5 finished" in run("status", swept).out
    assert run("enqueue", swept, "--set", "seed=5").code == 0
    assert "requests that wait" in run("status", swept).out
    assert run("resume", swept).code == 0
    assert "6 finished" in run("status", swept).out


def test_its_name_is_used_once_and_its_mirror_may_go(run, swept, storage, tmp_path):
    code, _, error = run(*SWEEP, "--storage", storage)
    assert code == 2
    assert f"an experiment's name is used once, and {swept} exists" in error
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    assert run("status", swept).code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "{}"), "Say where with --out FOLDER"),
        (("stop", "{}", "--trial", "0000"), "can be stopped until it is over"),
        (("status", "{}x"), "is not an experiment: it has no sweep.yaml"),
    ],
)
def test_what_is_refused(run, swept, words, message):
    address, question, options = swept.partition("?")
    code, _, error = run(
        *(w.replace("{}x", f"{address}x{question}{options}").replace("{}", swept) for w in words)
    )
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_a_dry_run_writes_nothing(run, storage, s3):
    code, out, _ = run(*SWEEP, "--storage", storage, "--dry-run")
    assert code == 0
    assert f"experiment folder: {experiment(storage)}" in out
    assert s3.names(storage.removeprefix("s3://").partition("/")[0]) == []


def test_a_store_out_of_reach_is_one_line(run, storage):
    gone = "s3://nothing/runs?scheme=http&endpoint_override=127.0.0.1:9"
    code, _, error = run(*SWEEP, "--storage", gone)
    assert code == 1
    assert error.startswith("raysweep: s3://nothing/runs/smoke")
    assert "must be in reach, and is not" in error
    assert error.count("\n") == 1


def test_the_demo_takes_a_folder(run, storage):
    assert run("demo", "--storage", storage).code == 2
