"""Through Ray: trials that map the store's files, or seek in the videos, train as from shared memory."""

import json
from pathlib import Path

import pytest

from raysweep.cli import main
from tests.cluster.test_sweep import assignments

pytestmark = pytest.mark.ray

SETTINGS = {
    "training.steps": 4,
    "training.validate_every": 2,
    "cluster.trainable": "single",
    "loss.perceptual_net": "none",
    "data.resolution": 32,
    "data.clip_length": 4,
    "model.ch": 8,
    "model.resolution": 32,
    "tracking.tensorboard": False,
}


def test_all_ways_train_to_the_same_scores(cluster: str, videos: Path, tmp_path: Path) -> None:
    scores = {}
    for reading in ("auto", "memory_map", "direct"):
        words = ["train", "--data", str(videos), "--storage", str(tmp_path), "--name", reading]
        assert main([*words, *assignments({**SETTINGS, "data.reading": reading})]) == 0
        lines = (tmp_path / reading / "trials/0000/metrics.jsonl").read_text().splitlines()
        validations = [line for line in map(json.loads, lines) if "val/psnr" in line]
        scores[reading] = [line["val/psnr"] for line in validations]
    assert len(scores["auto"]) == 2
    assert scores["memory_map"] == scores["direct"] == scores["auto"]
    assert len(list((tmp_path / "stores").iterdir())) == 1
