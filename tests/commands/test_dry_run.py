"""What a dry run prints, and that precedence is what it says."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from pkgutil import iter_modules

import pytest
import torch
import yaml

import search_spaces
from raysweep.commands.plan import Request, compose
from raysweep.commands.spaces import load_space
from raysweep.config import run_config
from raysweep.schema import override

TAMING = ["sweep", "taming_vqgan", "--data", "demo", "--set", "loss.perceptual_init=random"]


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)


@pytest.mark.parametrize(
    "words", [["sweep", "smoke"], TAMING, ["train", "--data", "demo", *TAMING[-2:]]], ids=str
)
def test_it_prints_settings_resources_and_concurrency_and_makes_nothing(run, folder, words):
    code, out, error = run(*words, "--dry-run")
    assert (code, error) == (0, "")
    settings = yaml.safe_load(out.split("settings\n")[1].split("\nresources")[0])
    assert settings["loss"]["perceptual_init"] == "random"
    assert settings["data"]["source"] == "demo"
    assert "one trial takes 1 worker x (1 CPU, 0 GPU), single" in out
    assert "run at once on this machine" in out
    assert "objective: psnr" in out
    assert ("startup_trials" in out) is (words[0] == "sweep")  # a single run searches nothing
    assert list(folder.iterdir()) == []


SMALL = ["data.resolution=64", "data.batch_size=2", "loss.perceptual_init=random"]


@pytest.mark.parametrize("name", [module.name for module in iter_modules(search_spaces.__path__)])
def test_every_space_that_comes_along_can_be_built(run, name):
    """All samples of it: models, discriminators, and networks that judge."""
    words = [word for setting in SMALL for word in ("--set", setting)]
    code, out, error = run("sweep", name, "--data", "demo", *words, "--dry-run")
    assert (code, error) == (0, "")
    assert f"the question\n{load_space(name).question.splitlines()[0]}" in out
    assert ": searched, " in out


def test_a_space_in_yaml_is_asked_kept_and_shown(run, folder):
    (folder / "mine.yaml").write_text(
        "question: How much?\n"
        "base: {loss: {perceptual_init: random}}\n"
        "sweep: {budget: {trials: 5}, confirm: {top: 2}}\n"
        "space:\n"
        "  training.schedule: cosine\n"
        "  loss.disc_every: {min: 1, max: 3}\n"
        "  loss.disc_weight: {min: 1e-2, max: 1, log: true, when: {loss.disc_every: 1}}\n"
    )
    words = ["--set", "data={split: time, test_fraction: 0.1}", "--dry-run"]
    code, out, error = run("sweep", "mine.yaml", "--data", "demo", *words)
    assert (code, error) == (0, "")
    assert "the question\nHow much?\n" in out
    assert "loss.disc_every: searched, 1 to 3\n" in out
    assert "loss.disc_weight: searched, 0.01 to 1 (log), in some trials\n" in out
    assert "training.schedule: set to cosine\n" in out
    assert "trials: 5" in out
    assert "confirm:\n  top: 2\n  seeds: 5\n" in out


def test_a_pinned_path_is_named(run):
    out = run(*TAMING, "--set", "loss.disc_weight=0.5", "--dry-run").out
    assert "loss.disc_weight: pinned to 0.5 by --set" in out
    assert "loss.disc_start: searched" in out


def test_a_path_pinned_by_its_section_is_named_too(run):
    out = run(*TAMING, "--set", "loss={disc_weight: 0.5}", "--dry-run").out
    assert "loss.disc_weight: pinned to 0.5 by --set" in out


def test_paths_that_only_some_samples_suggest_are_named(run, folder):
    (folder / "mine.py").write_text(
        "def space(trial):\n"
        "    if trial.suggest_categorical('loss.disc_weight', [0.0, 0.5]):\n"
        "        trial.suggest_int('loss.disc_every', 1, 3)\n"
    )
    out = run("sweep", "mine.py", *TAMING[2:], "--dry-run").out
    assert "loss.disc_every: searched" in out
    assert "loss.disc_weight: searched" in out


def test_a_further_trial_is_shown_and_not_run(run, swept):
    before = swept.events.read_bytes()
    words = ["train", "--from", swept.folder, "--trial", "0001"]
    code, out, _ = run(*words, "--set", "training.steps=77", "--dry-run")
    settings = yaml.safe_load(out.split("settings\n")[1].split("\nresources")[0])
    assert code == 0
    assert settings["training"]["steps"] == 77
    assert settings["training"]["learning_rate"] == 0.5
    assert swept.events.read_bytes() == before


# What a person wrote: in the file, as words -> what holds, by dotted path
PRECEDENCE = [
    ({}, {}, {"name": "smoke", "storage": "runs", "budget.trials": 4}),
    ({"name": "a", "storage": "b"}, {}, {"name": "a", "storage": "b"}),
    ({"name": "a", "storage": "b"}, {"name": "c", "storage": "d"}, {"name": "c", "storage": "d"}),
    ({"budget": {"trials": 5}}, {}, {"budget.trials": 5}),
    ({"budget": {"trials": 5}}, {"assignments": ["budget.trials=6"]}, {"budget.trials": 6}),
    ({}, {"assignments": ["budget.trials=6"], "trials": 7}, {"budget.trials": 7}),
    ({}, {"assignments": ["data.source=a"], "data": "demo"}, {"pinned": {"data.source": "demo"}}),
    ({"training": {"steps": 3}}, {"assignments": ["seed=4"]}, {"pinned": {"seed": 4}}),
    ({"objective": ["psnr", "ssim"]}, {}, {"objective": ["psnr", "ssim"]}),
    ({}, {"assignments": ["objective=[psnr,lpips]"]}, {"objective": ["psnr", "lpips"]}),
    ({"objective": "ssim"}, {"assignments": ["objective={psnr: 2}"]}, {"objective": {"psnr": 2.0}}),
    ({}, {"assignments": ["constraints=[psnr>=9]"]}, {"constraints": ["psnr>=9"]}),
]


@pytest.mark.parametrize(("written", "words", "expected"), PRECEDENCE)
def test_words_are_stronger_than_the_file_and_the_file_than_the_space(
    folder, written, words, expected
):
    (folder / "config.yaml").write_text(yaml.safe_dump(written))
    request = Request(**words, config=folder / "config.yaml")
    sweep = compose(request, load_space("smoke"), "smoke").model_dump(mode="json")
    assert override(sweep, expected) == sweep


WEIGHTS = [
    ("objective={ssim: 3}", {"ssim": 3.0}),
    ("objective.ssim=3", {"psnr": 1.0, "ssim": 3.0}),
    ("objective=psnr", "psnr"),
]


@pytest.mark.parametrize(("assignment", "expected"), WEIGHTS)
def test_an_objective_is_one_setting(folder, assignment, expected):
    (folder / "config.yaml").write_text("objective: {psnr: 1}")
    request = Request(assignments=[assignment], config=folder / "config.yaml")
    assert compose(request, load_space("smoke"), "smoke").objective == expected


def test_what_ranks_is_printed(run):
    words = ["--set", "objective={psnr: 1, lpips: 20}", "--set", "constraints=[psnr >= 9]"]
    for command in (["sweep", "smoke"], ["train", "--data", "demo", *TAMING[-2:]]):
        out = run(*command, *words, "--dry-run").out
        assert "objective:\n  psnr: 1.0\n  lpips: 20.0\n" in out
        assert "constraints:\n- psnr >= 9\n" in out


def test_a_folder_of_videos_is_found_again_from_elsewhere(folder):
    sweep = compose(Request(data="videos"), load_space("smoke"), "smoke")
    assert sweep.pinned["data.source"] == str(folder / "videos")
    assert Path(sweep.pinned["data.source"]).is_absolute()


# data.* as written -> as it is kept; `here` is the current folder
WRITTEN = [
    ({"source": "demo"}, {"source": "demo"}),
    ({"source": "videos/*"}, {"source": "here/videos/*"}),
    ({"source": ["videos", "a/../b"]}, {"source": ("here/videos", "here/b")}),
    ({"source": ["demo", "s3://films/a"]}, {"source": ("here/demo", "s3://films/a")}),
    (
        {"source": "a", "validation_source": "b"},
        {"source": "here/a", "validation_source": "here/b"},
    ),
    ({"store": "stores/x"}, {"store": "here/stores/x"}),
]


@pytest.mark.parametrize(("written", "kept"), WRITTEN, ids=lambda value: str(value))
@pytest.mark.parametrize("place", ["file", "words", "space"])
def test_footage_is_the_same_from_elsewhere(folder, written, kept, place):
    (folder / "config.yaml").write_text(yaml.safe_dump({"data": written}))
    words = [f"data.{name}={json.dumps(value)}" for name, value in written.items()]
    space = load_space("smoke")
    request = {
        "file": Request(config=folder / "config.yaml"),
        "words": Request(assignments=words),
        "space": Request(),
    }[place]
    if place == "space":
        space = replace(space, base={"data": written})
    data = compose(request, space, "smoke").run().data
    for name, value in kept.items():
        of_one = (value,) if isinstance(value, str) else value
        absolute = tuple(entry.replace("here", str(folder)) for entry in of_one)
        assert getattr(data, name) == (absolute[0] if isinstance(value, str) else absolute)


def test_a_checkpoint_is_named_from_anywhere_and_what_it_gives_is_said(run, folder):
    base = load_space("smoke").base
    tokenizer = run_config(base).model.build()
    torch.save({"state_dict": tokenizer.state_dict(), "epoch": 3}, folder / "last.ckpt")
    (folder / "base.yaml").write_text(yaml.safe_dump(base))
    start = override(base, {"model.checkpoint": "last.ckpt"})
    (folder / "start.yaml").write_text(yaml.safe_dump(start))
    by_hand = ["base.yaml", "--set", "model.checkpoint=last.ckpt"]
    for words in (["start.yaml"], by_hand):
        code, out, _ = run("train", "--config", *words, "--dry-run")
        assert code == 0
        assert f"checkpoint: {folder / 'last.ckpt'}" in out
        assert f"starts from {folder / 'last.ckpt'}\n  takes the tokenizer" in out
        assert "leaves epoch: of a training run that is over" in out


@pytest.mark.parametrize("kind", ["none", "median", "promoting"])
def test_another_scheduler_takes_nothing_over_from_the_one_of_the_space(kind):
    request = Request(assignments=[f"scheduler.kind={kind}"])
    sweep = compose(request, load_space("demo"), "demo")
    assert sweep.scheduler.model_dump(exclude_defaults=True) == {}
    assert sweep.scheduler.kind == kind
