"""The policy for pretrained weights, against files instead of a network."""

import hashlib
from pathlib import Path

import pytest

from raysweep.errors import WeightsError
from raysweep.features.weights import checkpoints_folder, locate

CONTENT = b"numbers"
INSTEAD = "loss.perceptual_init to random"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    source = tmp_path / "source.pth"
    source.write_bytes(CONTENT)
    return source.as_uri()


def test_a_file_already_there_is_used() -> None:
    there = checkpoints_folder() / "net.pth"
    there.parent.mkdir(parents=True)
    there.write_bytes(CONTENT)
    assert locate("net.pth", "file:///nowhere", INSTEAD) == there


def test_an_absent_file_is_fetched_whole(url: str) -> None:
    name = f"net-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
    assert locate(name, url, INSTEAD).read_bytes() == CONTENT
    assert [path.name for path in checkpoints_folder().iterdir()] == [name]


def test_a_download_that_fails_its_hash_leaves_nothing(url: str) -> None:
    with pytest.raises(WeightsError, match="hash"):
        locate("net-00000000.pth", url, INSTEAD)
    assert list(checkpoints_folder().iterdir()) == []


def test_what_cannot_be_had_names_file_folder_and_alternative() -> None:
    with pytest.raises(WeightsError) as caught:
        locate("net.pth", "file:///nowhere/net.pth", INSTEAD)
    message = str(caught.value)
    for part in ("net.pth", str(checkpoints_folder()), f"or set {INSTEAD}."):
        assert part in message
    assert "\n" not in message
