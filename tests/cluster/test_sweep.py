"""The whole way through Ray: sweep, early stop, two workers, export."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from raysweep.cli import main
from raysweep.experiment.carrier import KEPT_CHECKPOINTS
from raysweep.experiment.events import Event, read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from raysweep.pretrained import load

pytestmark = pytest.mark.ray

LEARNING_RATE = 4.5e-6 * 8
"""The taming preset's: 4.5e-6 times the frames of a batch."""


def run(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def assignments(settings: dict[str, object]) -> list[str]:
    return [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]


def events_of(folder: Path) -> list[Event]:
    return list(read(Experiment(folder).events))


@pytest.fixture(scope="module")
def swept(cluster: str, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of six single-process trials, in which a rung of every step stops the worse half."""
    storage = tmp_path_factory.mktemp("runs")
    harsh = {"scheduler.min_peers": 2, "scheduler.reduction_factor": 2, "budget.trials": 6}
    run("sweep", "smoke", "--data", videos, "--storage", storage, *assignments(harsh))
    return storage / "smoke"


def test_a_sweep_runs_every_trial_and_stops_some_early(swept: Path) -> None:
    with (swept / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["trial"] for row in rows) == [f"{n:04d}" for n in range(6)]
    states = Counter(row["state"] for row in rows)
    assert set(states) == {"finished", "stopped"}
    assert float(rows[0]["val/psnr"]) == max(float(row["val/psnr"]) for row in rows)


def test_a_trial_leaves_what_the_layout_promises(swept: Path) -> None:
    trial = Experiment(swept).trial("0000")
    left = {path.name for path in trial.iterdir()}
    assert {"config.yaml", "summary.txt", "training.log", "metrics.jsonl"} <= left
    assert {"reconstructions", "tensorboard", "best"} <= left
    assert len(list(trial.glob("checkpoint_*"))) == KEPT_CHECKPOINTS
    assert {path.name for path in (trial / "best").iterdir()} == {"psnr", "lpips_random"}


def test_two_workers_train_what_one_worker_trains(swept: Path) -> None:
    """Through the TorchTrainer, against the same settings in one process, and against another seed.

    Without LPIPS and with few codes, as in tests/training/test_workers.py, which says why.
    """
    same = {
        "training.learning_rate": LEARNING_RATE,
        "loss.preset": "taming",
        "loss.perceptual_net": "none",
        "loss.disc_start": 5,
        "model.quantizer.codebook_size": 8,
    }
    two = {"cluster.workers": 2, "cluster.trainable": "distributed"}
    before = len(replay(events_of(swept)))
    for changes in (same, same | two, same | {"seed": 3}):
        run("train", "--from", swept, "--trial", "0000", *assignments(changes))
    one, both, other_seed = list(replay(events_of(swept)).values())[before:]
    assert both.state == "finished"
    assert both.reports[20]["val/psnr"] == pytest.approx(one.reports[20]["val/psnr"], abs=1e-3)
    assert abs(other_seed.reports[20]["val/psnr"] - one.reports[20]["val/psnr"]) > 0.1


def test_the_export_is_the_best_trial_and_codes_a_video(swept: Path, videos: Path) -> None:
    run("export", swept)
    with (swept / "leaderboard.csv").open() as file:
        best = next(csv.DictReader(file))
    exported = json.loads((swept / "best" / "metrics.json").read_text())
    assert exported["metrics"]["val/psnr"] == pytest.approx(float(best["val/psnr"]))
    tokenizer = load(swept / "best")
    (codes,) = tokenizer.encode_video(next((videos / "valid").glob("*.mp4")))
    assert codes.shape == (16, 8, 8)
    assert codes.dtype == torch.int64
    assert tokenizer.decode((codes,)).shape == (16, 32, 32, 3)


AFTER_TRAINING = [("0002", "tested"), ("0002", "ended")]


def test_finalists_are_tested_once_at_the_end_of_their_training(
    cluster: str, videos: Path, tmp_path: Path
) -> None:
    """Then as after a driver that died between training and test; test_trainer.py tests with two workers."""
    settings = {
        "confirm.top": 1,
        "confirm.seeds": 2,
        "budget.trials": 1,
        "data.split": "source",
        "data.test_fraction": 0.2,
    }
    run("sweep", "smoke", "--data", videos, "--storage", tmp_path, *assignments(settings))
    folder = tmp_path / "smoke"
    first, *finals = replay(events_of(folder)).values()
    assert [record.origin for record in finals] == ["confirm 0000"] * 2
    assert not first.tested
    assert all(max(record.reports) == 20 for record in finals)
    assert all({"test/psnr", "test/lpips_random"} <= set(record.tested) for record in finals)
    assert finals[0].tested != finals[1].tested

    log = Experiment(folder).events
    lines = zip(log.read_bytes().splitlines(keepends=True), events_of(folder), strict=True)
    kept = [
        line
        for line, it in lines
        if it["kind"] != "closed" and (it["trial"], it["kind"]) not in AFTER_TRAINING
    ]
    log.write_bytes(b"".join(kept))
    run("resume", folder)
    again = replay(events_of(folder))
    assert again["0002"].tested == pytest.approx(finals[1].tested, abs=1e-5)
    assert again["0002"].reports == finals[1].reports
