"""What a cluster is sent: wrong words, and files that the job would not find, are refused before anything travels."""

from pathlib import Path

import pytest

from raysweep.cli.sweeping import _errand
from raysweep.cluster.packing import packed
from raysweep.commands.errand import check_errand
from raysweep.errors import ConfigError, UserError

SHARED = ["--storage", "s3://bucket/runs"]
FILES = {
    "mine.yaml": "training: {steps: 30}",
    "space.py": "def space(trial):\n    return {}\nBASE = {'data': {'source': 'demo'}}\n",
    "clips/a.mp4": "",
    "data/b.mp4": "",
    "last.ckpt": "",
    "secret/c.mp4": "",
    ".gitignore": "secret\n",
}


@pytest.fixture(autouse=True)
def here(folder: Path) -> Path:
    """The current folder, as a person submits it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def checked(*words: str):
    return check_errand(_errand([str(word) for word in words]), Path.cwd(), packed(Path.cwd()))


# words; the job's name, and where the experiment lies
TAKEN = [
    (["sweep", "smoke", *SHARED], ("smoke", "s3://bucket/runs/smoke")),
    (["sweep", "smoke", "--storage", "/mnt/runs", "--name", "one"], ("one", "/mnt/runs/one")),
    (["sweep", "smoke", *SHARED, "--data", "clips"], ("smoke", "s3://bucket/runs/smoke")),
    (["sweep", "smoke", *SHARED, "--data", "clips/*.mp4"], ("smoke", "s3://bucket/runs/smoke")),
    (["sweep", "smoke", *SHARED, "--data", "/mnt/v"], ("smoke", "s3://bucket/runs/smoke")),
    (["sweep", "space.py", *SHARED], ("space", "s3://bucket/runs/space")),
    (["train", "--config", "mine.yaml", *SHARED], ("train", "s3://bucket/runs/train")),
    (["prepare", "--data", "s3://bucket/v", *SHARED], ("prepare", "s3://bucket/runs/train")),
    (["resume", "s3://bucket/runs/one", "--trials", "4"], ("one", "s3://bucket/runs/one")),
    (["resume", "/mnt/runs/one"], ("one", "/mnt/runs/one")),
    (["train", "--from", "/mnt/runs/one", "--trial", "0001"], ("one", "/mnt/runs/one")),
]


@pytest.mark.parametrize(("words", "expected"), TAKEN, ids=lambda value: " ".join(value))
def test_it_is_taken(words, expected):
    taken = checked(*words)
    assert (taken.name, taken.experiment) == expected
    assert taken.words == words


# words; pieces of the refusal
REFUSED = [
    (["sweep", "smok", *SHARED], ["'smoke'"]),
    (["sweep", "smoke", "--storrage", "x"], ["--storrage"]),
    (["sweep", "smoke", *SHARED, "--set", "training.step=9"], ["did you mean 'steps'?"]),
    (["sweep", "smoke"], ["all nodes", "got runs", "s3://bucket/runs"]),
    (["sweep", "smoke", "--storage", "runs"], ["all nodes", "got runs"]),
    (["resume", "runs/one"], ["all nodes", "got runs/one", "EXPERIMENT"]),
    (["train", "--from", "runs/one"], ["all nodes", "got runs/one"]),
    (["sweep", "smoke", *SHARED, "--data", "data"], ["data does not", "footage"]),
    (["sweep", "smoke", *SHARED, "--data", "secret"], ["secret does not", ".gitignore"]),
    (["sweep", "smoke", *SHARED, "--data", "absent"], ["absent does not"]),
    (["sweep", "smoke", *SHARED, "--set", "model.checkpoint=last.ckpt"], ["last.ckpt does not"]),
    (["sweep", "smoke", *SHARED, "--data", "../v"], ["a copy of the current folder", "../v"]),
    (["stop", "s3://bucket/runs/one", "--trial", "0000"], ["sweep, train, resume or prepare"]),
]


@pytest.mark.parametrize(("words", "pieces"), REFUSED, ids=lambda value: " ".join(value)[-50:])
def test_it_is_refused(words, pieces):
    with pytest.raises(UserError) as refusal:
        checked(*words)
    assert [piece for piece in pieces if piece not in str(refusal.value)] == []


@pytest.mark.parametrize("setting", ["--config", "--tasks"])
def test_what_is_read_at_the_start_must_travel(setting, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mine.yaml"
    elsewhere.write_text("{}")
    with pytest.raises(ConfigError, match=r"mine\.yaml does not: it is not in it"):
        checked(
            *(["sweep"] if setting == "--tasks" else ["train"]), setting, str(elsewhere), *SHARED
        )


def test_a_place_in_the_folder_is_named_by_its_relative_path(here):
    with pytest.raises(ConfigError, match="its relative path"):
        checked("sweep", "smoke", *SHARED, "--data", str(here / "clips"))
