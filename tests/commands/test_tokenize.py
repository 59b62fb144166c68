"""What `raysweep tokenize` refuses before anything starts, and what it says of what is there."""

from pathlib import Path

import pytest

from raysweep.data.preprocessing import Preprocessing
from raysweep.pretrained import load
from tests.data.media import BROKEN, write_video
from tests.tokens.conftest import exported
from tests.tokens.test_making import coded


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("models") / "tokenizer")


@pytest.fixture
def footage(folder: Path) -> Path:
    for seed, name in enumerate(("train/0.mp4", "valid/1.mp4", "more/2.mp4")):
        write_video(folder / "films" / name, frames=5, seed=seed)
    (folder / "films" / "bad.avi").write_bytes(BROKEN["noise.avi"])
    return folder / "films"


REFUSALS = [
    pytest.param(["absent"], "config.json and model.safetensors", id="no model"),
    pytest.param(["--data", "absent"], "data.source must exist, got /", id="no footage"),
    pytest.param(["--data", "films/bad.avi"], "needs a file that decodes, got 1", id="bad footage"),
    pytest.param(["--set", "data.resolution=30"], "multiples of 4", id="a size it cannot take"),
    pytest.param(["--set", "data.fsp=3"], "did you mean 'fps'?", id="a misspelt setting"),
    pytest.param(["--set", "model.kind=conv"], "unknown setting 'model'", id="another model"),
    pytest.param(["--gpus", "1.5"], "--gpus is 0, a part of one GPU, or a whole", id="GPUs"),
    pytest.param(
        ["--out", "films/train/0.mp4"], "written to a folder, and", id="a file is in the way"
    ),
]


@pytest.mark.parametrize(("words", "said"), REFUSALS)
def test_what_is_refused_before_anything_starts(run, model, footage, words, said):
    named = [] if words == ["absent"] else [model]
    code, _, error = run("tokenize", *named, *_without(words), *words)
    assert (code, error.count("\n")) == (2, 1)
    assert said in error


def _without(words: list[str]) -> list[str]:
    """Good words beside bad ones."""
    good = {"--data": "films", "--out": "out"}
    return [word for pair in good.items() if pair[0] not in words for word in pair]


def test_what_is_there_already_is_told_without_ray(run, model, footage):
    """All footage, whatever its folders say of splits."""
    coded(load(model), footage, "out", Preprocessing(resolution=32))
    code, out, error = run("tokenize", model, "--data", "films", "--out", "out")
    assert (code, error) == (0, "")
    first, skipped = out.splitlines()
    assert first.startswith(
        "already tokenized: 15 frames of 3 videos, 1 skipped, 8x8 codes each, in 1 file of "
    )
    assert "skipped bad.avi: " in skipped
