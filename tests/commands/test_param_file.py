"""`train --config param.json`: the account that is printed, and that --set wins."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from raysweep.schema import Tree
from tests.legacy.files import FOLDER

OFFLINE = ["--set", "loss.perceptual_init=random"]
TRAIN = ["train", "--config", "param.json", "--data", "demo", *OFFLINE, "--dry-run"]


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)


def write(folder: Path, settings: Tree, name: str = "param.json") -> Path:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    return folder / name


def settings_of(out: str) -> Tree:
    tree: Tree = yaml.safe_load(out.split("\nsettings\n")[1].split("\nresources")[0])
    return tree


def test_what_became_of_the_file_is_told_before_the_settings(run, folder):
    write(folder, json.loads((FOLDER / "5-complete.json").read_text()))
    code, out, error = run(*TRAIN)
    assert (code, error) == (0, "")
    assert "model_args.n_embed = 1024 -> model.quantizer.codebook_size = 1024\n" in out
    assert "(not given) -> loss.disc_every = 3\n" in out
    nothing = out.split("what sets nothing, of param.json\n")[1].split("\nsettings\n")[0]
    assert "train_args.lr = 0.0001 -> superseded by model_args.learning_rate\n" in nothing
    assert settings_of(out)["model"]["quantizer"]["kind"] == "ema"


def test_words_win_over_the_file(run, folder):
    write(folder, {"model_type": "VqVae2", "train_args": {"num_steps": 7, "lr": 0.5}})
    out = run(*TRAIN, "--set", "training.learning_rate=0.25", "--storage", "elsewhere").out
    assert settings_of(out)["training"]["learning_rate"] == 0.25
    assert settings_of(out)["training"]["steps"] == 7
    assert str(folder / "elsewhere" / "train") in out


def test_the_files_folder_is_the_storage(run, folder):
    write(folder, {"train_args": {"folder_name": str(folder / "saved")}})
    assert f"experiment folder: {folder / 'saved' / 'train'}" in run(*TRAIN).out


@pytest.mark.parametrize(
    ("words", "epochs", "steps"),
    [
        ([], 3, None),
        (["--set", "training.steps=5"], None, 5),
        (["--set=training.epochs=4"], 4, None),
    ],
)
def test_a_length_given_by_hand_replaces_the_files_in_either_unit(
    run, folder, words, epochs, steps
):
    write(folder, {"train_args": {"max_epochs": 3}})
    out = run(*TRAIN, *words).out
    training = settings_of(out)["training"]
    assert (training["epochs"], training.get("steps")) == (epochs, steps)
    assert ("once the training clips are counted" in out) is (steps is None)


def test_footage_given_by_hand_replaces_the_files(run, folder):
    write(folder, {"data_process": {"train": "/nowhere/train", "vaild": "/nowhere/vaild"}})
    out = run(*TRAIN).out
    assert "data_process.vaild = /nowhere/vaild -> another source is given" in out
    assert settings_of(out)["data"]["validation_source"] is None


def test_lists_of_files_and_image_mode_are_taken_as_they_are(run, folder):
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(folder / name), np.zeros((40, 40, 3), np.uint8))
    files = {"training_data_files": ["a.png", "b.png"], "validation_data_files": ["c.png"]}
    write(folder, {"use_images": True, "data_args": files, "train_args": {"device": "cpu"}})
    code, out, error = run("train", "--config", "param.json", *OFFLINE, "--dry-run")
    assert (code, error) == (0, "")
    data = settings_of(out)["data"]
    assert data["source"] == [str(folder / "a.png"), str(folder / "b.png")]
    assert data["validation_source"] == [str(folder / "c.png")]


def test_a_config_file_of_raysweep_stays_what_it_is(run, folder):
    write(folder, {"training": {"steps": 7, "learning_rate": 1e-5}})
    code, out, _ = run(*TRAIN)
    assert code == 0
    assert "what became of" not in out
    assert settings_of(out)["training"]["learning_rate"] == 1e-5


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0.0), ("cuda:0", 1.0)])
def test_a_device_by_hand_wins_over_the_files(run, folder, device, gpus, monkeypatch):
    from raysweep.cluster.resources import Capacity
    from raysweep.commands import plan

    monkeypatch.setattr(plan, "known_capacity", lambda: Capacity(2, 1))
    write(folder, {"train_args": {"device": "auto"}})
    out = run(*TRAIN, "--device", device).out
    assert settings_of(out)["cluster"]["gpus_per_worker"] == gpus


REFUSED = [
    ({"model_type": "EMAVQ", "model_args": {"model_variant": "VQModel"}}, ["'EMAVQ'", "'VQModel'"]),
    ({"model_type": "x"}, ["model_type", "'x'"]),
    ({"train_args": {"lr": "fast"}}, ["training.learning_rate", "'fast'"]),
    ({"train_args": {"num_steps": 1, "max_epochs": 1}}, ["num_steps 1", "max_epochs 1"]),
    ({"model_type": "VqVae2", "swanlab": {"project": "p"}}, ["pip install swanlab"]),
]


@pytest.mark.parametrize(("settings", "pieces"), REFUSED, ids=str)
def test_what_cannot_be_is_refused_in_a_line(run, folder, settings, pieces):
    write(folder, settings)
    code, _, error = run(*TRAIN)
    assert code == 2
    assert error.count("\n") == 1
    assert [piece for piece in pieces if piece not in error] == []


def test_a_file_with_the_documents_comments_is_refused_with_its_name(run, folder):
    (folder / "param.json").write_text('{"model_type": "VqVae2",  // a comment\n"model_args": {}}')
    code, _, error = run(*TRAIN)
    assert code == 2
    assert "param.json" in error
