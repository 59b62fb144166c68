"""A tiny exported model, and footage of a few videos."""

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from raysweep.schema import Tree
from raysweep.tokens import shards
from tests.data.media import BROKEN, write_video
from tests.tiny import EMA, tiny_parts, tiny_run

LENGTHS = {"a/0.mp4": 40, "a/1.mp4": 33, "b.mp4": 5, "c.mp4": 70}
"""Video -> frames."""
BAD = {name: BROKEN[name] for name in ("photo.mkv", "text.mp4", "zero.mp4")}
"""They come last, and are the smallest."""


def exported(folder: Path, changes: Tree | None = None) -> Path:
    """As `raysweep export` writes it, with random weights."""
    changes = {"model.quantizer": EMA, **(changes or {})}
    folder.mkdir(parents=True)
    settings = tiny_run(changes).model_dump(mode="json")
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(tiny_parts(changes).state.tokenizer.state_dict(), folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("models") / "tokenizer")


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With files that do not decode."""
    folder: Path = tmp_path_factory.mktemp("footage")
    for seed, (name, frames) in enumerate(LENGTHS.items()):
        write_video(folder / name, frames=frames, seed=seed)
    for name, junk in BAD.items():
        (folder / name).write_bytes(junk)
    return folder


@pytest.fixture
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a video or two."""
    monkeypatch.setattr(shards, "LEAST_BYTES", 10_000)
