"""Taking a model away: what is exported scores what its trial did, and what cannot be exported says so in a line."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard

from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import CACHE
from raysweep.pretrained import load
from raysweep.training import checkpoint
from tests.data.media import write_video
from tests.tiny import EMA
from tests.trained import trained

TWO = ({}, {"model.quantizer": EMA})


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Two trials, both on the Pareto front or one: of two goals."""
    home = tmp_path_factory.mktemp("real")
    for seed in range(3):
        write_video(home / "videos" / f"{seed}.mp4", 24, seed=seed)
    return trained(home / "runs" / "real", home / "videos", TWO, objective=["psnr", "lpips"])


def told(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


@pytest.mark.parametrize("trial", ["0000", "0001"])
def test_what_is_exported_scores_what_its_trial_did(run, experiment, trial, folder):
    code, out, _ = run("export", experiment.folder, "--trial", trial, "--out", "model")
    assert code == 0
    assert "evaluated again on the whole validation set, on cpu" in out
    found = told(folder / "model")
    again = found["evaluated_again"]
    wanted = {"val/psnr", "val/ssim", "val/lpips_random", "val/code_usage", "val/bits_per_pixel"}
    assert wanted <= set(again["metrics"])
    for name, value in again["metrics"].items():
        assert value == pytest.approx(found["metrics"][name], rel=1e-4, abs=1e-4)
    assert again["largest_difference"] <= 1e-4
    code, out, _ = run("evaluate", "model", "--data", store_of(experiment), "--json", "scores.json")
    assert code == 0
    (scores,) = json.loads((folder / "scores.json").read_text())["models"]
    for name, value in scores["figures"].items():
        assert value == pytest.approx(found["metrics"][f"val/{name}"], rel=1e-4, abs=1e-4)


def store_of(experiment: Experiment) -> Path:
    (store,) = (experiment.folder.parent / "stores").iterdir()
    return store


def test_the_card_tells_people_and_the_hub_the_real_figures(run, experiment, folder):
    assert run("export", experiment.folder, "--trial", "0001", "--out", "model").code == 0
    card = ModelCard((folder / "model" / "README.md").read_text())
    assert card.data.library_name == "raysweep"
    assert {"vq-gan", "taming_vqgan", "ema"} <= set(card.data.tags)
    assert "model_hub_mixin" not in card.data.tags
    figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
    metrics = told(folder / "model")["metrics"]
    assert figures["psnr"] == metrics["val/psnr"]
    facts = json.loads(experiment.validation_file.read_text())
    text = card.text
    assert f"| validation frames | {facts['validation_frames']} |" in text
    assert facts["fingerprint"]["frames"] in text
    assert "model.quantizer.kind: ema" in text
    assert f"raysweep train --from {experiment.folder} --trial 0001" in text
    assert f"torch {version('torch')}" in text
    assert "evaluated again on the whole validation set, comes within 0.0001" in text


def test_another_model_than_the_trials_is_an_error_and_leaves_nothing(run, experiment, folder):
    copied = folder / "runs" / "real"
    shutil.copytree(experiment.folder, copied)
    shutil.copytree(experiment.folder.parent / "stores", folder / "runs" / "stores")
    file = copied / "trials" / "0000" / "best" / "latest" / "state.pt"
    saved = torch.load(file)
    saved["tokenizer"]["decoder.conv_out.bias"] += 0.01
    torch.save(saved, file)
    code, _, error = run("export", copied, "--trial", "0000", "--out", "model")
    assert code == 2
    assert "an exported model must score what its trial did, to 0.0001" in error
    assert error.count("\n") == 1
    assert {path.name for path in folder.iterdir()} <= {"runs", "torch"}
    assert run("export", copied, "--trial", "0000", "--out", "model", "--no-evaluate").code == 0
    assert told(folder / "model")["evaluated_again"]["why_not"]


def test_without_its_store_an_export_says_that_it_was_not_evaluated(run, experiment, folder):
    shutil.copytree(experiment.folder, folder / "runs" / "real")
    code, out, _ = run("export", folder / "runs" / "real")
    assert code == 0
    assert "not evaluated again: data.store must be a finished store" in out
    assert "was not evaluated again" in (folder / "runs/real/best/README.md").read_text()


def test_the_front_is_exported_each_in_its_folder(run, experiment, folder):
    code, _, _ = run("export", experiment.folder, "--trial", "pareto", "--out", "front")
    assert code == 0
    exported = [path for path in (folder / "front").iterdir() if path.is_dir()]
    assert exported
    for path in exported:
        assert told(path)["trial"] == path.name
        assert load(path)


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_again(
    run, experiment, folder, monkeypatch
):
    """Metrics of one step beside the weights of another, as between two renames; then both of one."""
    found = checkpoint.load
    states = iter([lambda it: it | {"step": 999}])
    monkeypatch.setattr(checkpoint, "load", lambda path: next(states, lambda it: it)(found(path)))
    assert run("export", experiment.folder, "--out", "model", "--no-evaluate").code == 0
    assert next(states, None) is None


def test_an_experiment_on_an_object_store_is_exported_here(
    run, experiment, folder, s3, monkeypatch
):
    bucket = s3.new_bucket()
    for file in experiment.folder.rglob("*"):
        if file.is_file():
            name = on_the_store(file.relative_to(experiment.folder))
            with s3.file_system.open_output_stream(f"{bucket}/real/{name}") as stream:
                stream.write(file.read_bytes())
    monkeypatch.setenv(CACHE, str(folder / "cache"))
    address = s3.address(f"{bucket}/real")
    code, out, _ = run("export", address, "--trial", "0001", "--out", "model")
    assert code == 0
    assert "not evaluated again" in out
    assert told(folder / "model")["metrics"] == told(kept(experiment, "0001"))["metrics"]
    assert load(folder / "model")


def on_the_store(file: Path) -> str:
    """`best/<metric>/` has its step in its name there, the log is numbered segments."""
    if file.name == "events.jsonl":
        return "events/000001.jsonl"
    if "best" in file.parts:
        return f"{file.parent.as_posix()}@000000004/{file.name}"
    return file.as_posix()


def kept(experiment: Experiment, trial: str) -> Path:
    return experiment.best_checkpoint(trial, "latest")


REFUSED = [
    (("--out", "file/model"), "needs a folder that can be made"),
    (("--trial", "0042", "--out", "model"), "there is no trial '0042'"),
    (("--format", "taming", "--out", "file/best.ckpt"), "multiples of 32"),
    (("--device", "cuda:7", "--out", "model"), "--device cuda:7 needs that GPU"),
    (("--device", "tpu", "--out", "model"), "--device must be cpu, cuda, cuda:N or auto"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_is_refused_is_refused_in_a_line(run, experiment, words, said, folder):
    (folder / "file").touch()
    code, _, error = run("export", experiment.folder, *words)
    assert code == 2
    assert said in error
    assert error.count("\n") == 1
    assert not (folder / "model").exists()


def test_the_settings_of_the_card_are_those_of_the_model(run, experiment, folder):
    assert run("export", experiment.folder, "--out", "model", "--no-evaluate").code == 0
    text = (folder / "model" / "README.md").read_text()
    written = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    assert written["training.steps"] == 4
    assert run("describe", "model").code == 0
