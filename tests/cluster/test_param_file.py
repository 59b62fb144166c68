"""Old files through the command line and Ray: one document's example, and a folder of tasks."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from raysweep.cli import main
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import Records, replay
from raysweep.schema import Tree
from tests.legacy.files import FOLDER

pytestmark = pytest.mark.ray

SMALL: Tree = {
    "data.resolution": 32,
    "data.clip_length": 2,
    "data.batch_size": 4,
    "model.quantizer.codebook_size": 16,
    "model.quantizer.embedding_dim": 8,
    "model.hidden": 16,
    "loss.perceptual_net": "squeeze",
    "loss.perceptual_init": "random",
    "discriminator.ch": 8,
    "discriminator.layers": 2,
    "cluster.gpus_per_worker": 0,
}


def run(*words: object, **settings: object) -> None:
    pinned = {**SMALL, **settings}
    assignments = [word for path in pinned for word in ("--set", f"{path}={pinned[path]}")]
    assert main([*map(str, words), *assignments]) == 0


def trials_of(folder: Path) -> Records:
    return replay(read(Experiment(folder).events))


def test_a_documents_file_trains(cluster: str, tmp_path: Path) -> None:
    """3-param.json on images, its GAN from the second step on."""
    old = json.loads((FOLDER / "3-param.json").read_text())
    noise = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)
    for number, picture_HWC in enumerate(noise):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture_HWC)
    files = [str(path) for path in sorted(tmp_path.glob("*.png"))]
    old["data_args"] |= {"training_data_files": files[:4], "validation_data_files": files[4:]}
    old["train_args"]["folder_name"] = str(tmp_path / "saved")
    (tmp_path / "param.json").write_text(json.dumps(old))
    steps = {"training.steps": 4, "loss.disc_start": 1}
    run("train", "--config", tmp_path / "param.json", **steps)
    (trial,) = trials_of(tmp_path / "saved" / "train").values()
    assert (trial.state, trial.step) == ("finished", 4)
    assert trial.reports[4]["val/psnr"] > 0


def test_a_folder_of_tasks_runs_side_by_side(cluster: str, videos: Path, tmp_path: Path) -> None:
    """One of them for so many epochs: 4 videos of 16 frames are 32 clips of 2, or 8 batches of 4."""
    tasks: dict[str, Tree] = {
        "a": {"model_type": "VqVae2", "train_args": {"max_epochs": 2, "disc_start": 3}},
        "b": {"model_type": "VQVAE2", "train_args": {"num_steps": 3}},
        "config": {"a": 0, "b": 1},
    }
    folder = tmp_path / "multitask"
    folder.mkdir()
    for name, settings in tasks.items():
        (folder / f"{name}.json").write_text(json.dumps(settings))
    words = ["--data", videos, "--storage", tmp_path / "runs"]
    run("sweep", "--tasks", folder, *words, **{"data.random_start": False})
    trials = trials_of(tmp_path / "runs" / "multitask").values()
    assert [(t.origin, t.state, t.step) for t in trials] == [
        ("a.json", "finished", 16),
        ("b.json", "finished", 3),
    ]
