"""What `raysweep doctor` finds on this machine, and that whatever it finds wrong comes with a cure."""

import hashlib
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from raysweep.commands import doctor as command
from raysweep.commands import health
from raysweep.commands.health import Expected, Finding, examine
from raysweep.experiment.provenance import provenance
from raysweep.features.weights import checkpoints_folder, place

Disk = namedtuple("Disk", "total used free")
HERE = Expected(provenance(), 0, None, "mark", is_in_cluster=False)


def found(check: str, **expected: object) -> list[Finding]:
    return [it for it in examine(HERE._replace(**expected)) if it.check == check]


@pytest.fixture
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """One network, whose file is there."""
    name = f"net-{hashlib.sha256(b'numbers').hexdigest()[:8]}.pth"
    monkeypatch.setattr(health, "PUBLISHED", {"LPIPS net": f"https://nowhere.example/{name}"})
    monkeypatch.setattr(command, "PUBLISHED", health.PUBLISHED)
    place(name, b"numbers")


@pytest.mark.usefixtures("_weights")
def test_a_machine_that_has_everything(run, folder) -> None:
    code, out, error = run("doctor", "--storage", folder / "runs")
    assert (code, error) == (0, "")
    checks = [line.split()[1] for line in out.splitlines() if line.startswith("ok")]
    assert checks == ["versions", "gpus", "video", "storage", "weights", "disk", "memory"]
    assert "all 7 checks passed" in out
    assert list((folder / "runs").iterdir()) == []


@pytest.mark.usefixtures("_weights")
def test_a_cluster_that_does_not_answer_is_a_failed_check(run, monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "")  # put back afterwards
    code, out, error = run("doctor", "--address", "127.0.0.1:1")
    assert code == 1
    assert "FAILED  cluster   a cluster must answer at 127.0.0.1:1, and does not" in out
    assert "1 of 7 checks failed" in error


def test_what_is_wrong_is_counted_and_says_what_to_do(run, folder) -> None:
    (folder / "file").write_text("no folder")
    code, out, error = run("doctor", "--storage", folder / "file")
    failed = [line for line in out.splitlines() if line.startswith("FAILED")]
    assert code == 1
    assert {line.split()[1] for line in failed} == {"storage", "weights"}
    assert all(". To do: " in line for line in failed)
    assert f"{len(failed)} of " in error
    assert "Traceback" not in error


# What a machine is held to, and what it then lacks, in words
LACKING = [
    ("versions", {"versions": {**provenance(), "torch": "1.0"}}, "and not 1.0"),
    ("gpus", {"gpus": torch.cuda.device_count() + 1}, "torch sees"),
]


@pytest.mark.parametrize(("check", "expected", "told"), LACKING)
def test_what_differs_from_what_is_expected(check, expected, told) -> None:
    (finding,) = found(check, **expected)
    assert told in finding.told
    assert finding.cure


def test_builds_of_one_version_and_a_missing_revision_agree() -> None:
    built = {**provenance(), "torch": f"{provenance()['torch'].split('+')[0]}+cu128"}
    (finding,) = found("versions", versions=built)
    assert finding.cure == ""


def test_a_folder_that_is_not_shared_is_told(folder) -> None:
    storage = str(folder)
    assert "another folder" in found("storage", storage=storage)[0].told
    assert health.put_mark(storage, "mark").cure == ""
    assert found("storage", storage=storage)[0].cure == ""
    health.remove_mark(storage, "mark")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("_weights")
def test_a_damaged_file_of_weights_is_told() -> None:
    (path,) = checkpoints_folder().iterdir()
    assert found("weights")[0].cure == ""
    broken = path.with_name("net-00000000.pth")
    path.rename(broken)
    health.PUBLISHED["LPIPS net"] = f"https://nowhere.example/{broken.name}"
    assert "is damaged" in found("weights")[0].told


@pytest.mark.parametrize(("free", "is_well"), [(400, True), (40, False)])
def test_a_full_disk_and_a_small_shared_memory_are_told(monkeypatch, free, is_well) -> None:
    disk = Disk(1000 * 2**21, (1000 - free) * 2**21, free * 2**21)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: disk)
    assert (found("disk")[0].cure == "") is is_well
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: Disk(2**26, 0, 2**26))
    assert "--shm-size" in found("memory")[0].cure


def test_a_video_that_does_not_decode_is_told(monkeypatch) -> None:
    monkeypatch.setattr(health, "H264", b"no video")
    assert "does not decode h264" in found("video")[0].told


@pytest.mark.parametrize(("mode", "is_well"), [("token", True), ("disabled", False), ("", False)])
def test_a_cluster_that_asks_for_no_token_is_told(monkeypatch, mode, is_well) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    (finding,) = found("token", is_in_cluster=True)
    assert (finding.cure == "") is is_well


def test_weights_that_cannot_be_fetched_are_told_and_looked_for(run, monkeypatch, tmp_path) -> None:
    content = tmp_path / f"net-{hashlib.sha256(b'1').hexdigest()[:8]}.pth"
    content.write_bytes(b"1")
    urls = {"a": content.as_uri(), "b": Path("/nowhere/net-00000000.pth").as_uri()}
    for module in (health, command):
        monkeypatch.setattr(module, "PUBLISHED", urls)
    code, out, _ = run("doctor", "--fetch-weights")
    assert code == 1
    assert (checkpoints_folder() / content.name).read_bytes() == b"1"
    assert "ok      weights   a is there" in out
    assert "FAILED  weights   b is not there" in out
