"""What cannot work is refused in one line, before anything starts or is written."""

import importlib.util
import sys
from pathlib import Path
from urllib.error import URLError

import pytest

from raysweep.features import weights
from tests.data.media import write_image, write_video

SMOKE = ["sweep", "smoke"]
FILES = {
    "text.mp4": "this is text",
    "notes.md": "this is text",
    "bad/a.mp4": "this is text",
    "bad/b.avi": "",
    "torn.py": "def space(trial:\n",
    "spaceless.py": "question = 1\n",
    "raises.py": "ratio = 1 / 0\n",
    "misspelt.py": "def space(trial):\n    trial.suggest_int('data.btch_size', 1, 2)\n",
    "sizes.py": "def space(trial):\n    trial.suggest_categorical('data.resolution', [32, 64])\n",
    "lengths.py": "def space(trial):\n    trial.suggest_categorical('data.clip_length', [1, 2])\n",
    "inits.py": "def space(trial):\n"
    "    trial.suggest_categorical('loss.perceptual_net', ['squeeze', 'alex'])\n",
    "nets.py": "def space(trial):\n"
    "    trial.suggest_categorical('loss.perceptual_net', ['squeeze', 'none'])\n",
    "logits.py": "def space(trial):\n"
    "    weighs = trial.suggest_int('seed', 0, 9) == 5\n"
    "    return {'loss.logit_weight': 0.1 * weighs, 'loss.logit_init': 'absent.pth'}\n",
    "absent_start.yaml": "model: {checkpoint: absent.ckpt}\n",
    "broken.yaml": "a: [1\n",
    "list.yaml": "- 1\n",
    "numbers.yaml": "1: 2\n",
    "pictures/a.png": "this is text",
    "frames/1.png": "this is text",
    "frames/2.png": "this is text",
    "list.csv": "path,split\nbad/a.mp4,train\nbad/b.avi,trian\n",
    "taken/notes": "",
    "file": "",
}
"""What lies in the folder, by path."""
IMAGES = ["--set", "data.images=true"]
FRAMES = ["--set", "data.frame_folders=true"]
OFFLINE = ["--set", "loss.perceptual_init=random", "--data", "demo"]


def _valid(path: str) -> list[str]:
    return ["--set", f"data.validation_source={path}"]


# words of the command line, and pieces that its one line must hold: the value, and what to do
REFUSED = [
    ([*SMOKE, "--data", "empty"], ["empty", "Put some there"]),
    ([*SMOKE, "--data", "absent"], ["absent", "Give a folder"]),
    ([*SMOKE, "--data", "text.mp4"], ["'text.mp4'", "videos that play"]),
    ([*SMOKE, "--data", "notes.md"], ["notes.md", "These suffixes are read"]),
    ([*SMOKE, "--data", "bad"], ["2 that do not", "'a.mp4'", "videos that play"]),
    ([*SMOKE, "--data", "pictures"], ["pictures", "images", "Set data.images=true"]),
    ([*SMOKE, "--data", "frames"], ["images", "Set data.frame_folders=true", "numbered"]),
    ([*SMOKE, *FRAMES, "--data", "frames"], ["2 that do not", "'1.png'", "whole images"]),
    ([*SMOKE, *FRAMES, "--data", "pictures"], ["pictures", "no two images", "Number"]),
    ([*SMOKE, *FRAMES, *IMAGES, "--data", "frames"], ["data.frame_folders", "Leave one"]),
    ([*SMOKE, "--data", "list.csv"], ["list.csv", "'trian'", "row 2", "Correct it"]),
    ([*SMOKE, "--data", "nfs://host/films"], ["nfs://host/films", "in reach", "Correct"]),
    ([*SMOKE, "--set", "data.store=s3://films/x"], ["data.store", "s3://films/x", "Name a folder"]),
    ([*SMOKE, *IMAGES, "--data", "pictures"], ["1 that do not", "'a.png'", "whole images"]),
    ([*SMOKE, *IMAGES, "--data", "bad"], ["bad", "videos", "Set data.images=false"]),
    ([*SMOKE, *IMAGES], ["data.images", "data.source demo", "Leave one"]),
    ([*SMOKE, *IMAGES, "--data", "pictures", "--set", "data.stride=2"], ["data.stride", "Leave"]),
    ([*SMOKE, "--set", "data.source=[bad, absent]"], ["absent", "Give a folder"]),
    ([*SMOKE, "--data", "ba*"], ["2 that do not", "'bad/a.mp4'"]),
    ([*SMOKE, "--data", "bad", "--set", "data.source=[]"], ["videos that play"]),
    ([*SMOKE, "--set", "data.source=3"], ["raysweep: data.source: ", "string", "3"]),
    ([*SMOKE, "--set", "data.source=[]"], ["data.source", "name something"]),
    ([*SMOKE, "--data", "bad", *_valid("absent")], ["data.validation_source", "absent"]),
    ([*SMOKE, "--data", "bad", *_valid("bad")], ["a.mp4", "Take it out of one"]),
    (
        [*SMOKE, "--data", "bad", *_valid("bad"), "--set", "data.split=time"],
        ["data.validation_source", "time", "Leave one"],
    ),
    ([*SMOKE, "--set", "data={source: null, validation_source: x}"], ["missing", "Set both"]),
    ([*SMOKE, "--set", "data.split=none"], ["data.split none", "Set data.split to auto"]),
    (["prepare", "--data", "bad"], ["2 that do not", "videos that play"]),
    (["prepare"], ["--data FOLDER"]),
    (["prepare", "--data", ""], ["raysweep: data.source must name something", "Name a folder"]),
    (["prepare", "--set", "data.store=empty"], ["prepare decodes data.source", "--data FOLDER"]),
    (["prepare", "--verify"], ["prepare decodes data.source", "--data FOLDER"]),
    (["prepare", "--data", "bad", "--preview", "absent/x.png"], ["absent/x.png", "Name another"]),
    (["prepare", "--data", "bad", "--preview", "x.txt"], ["x.txt", ".png"]),
    ([*SMOKE, "--set", "data.source=", "--set", "data.store=empty"], ["empty", "prepare"]),
    ([*SMOKE, "--set", "loss.disc_strat=3"], ["'disc_strat'", "did you mean 'disc_start'?"]),
    ([*SMOKE, "--set", "traning.steps=3"], ["'traning'", "did you mean 'training'?"]),
    ([*SMOKE, "--set", "budget.trails=3"], ["'trails'", "did you mean 'trials'?"]),
    ([*SMOKE, "--set", "loss.disc_start"], ["'loss.disc_start'", "path=value"]),
    ([*SMOKE, "--set", "training.steps=abc"], ["training.steps", "'abc'", "integer"]),
    ([*SMOKE, "--set", "training.steps=-1"], ["training.steps", "-1", "greater"]),
    ([*SMOKE, "--set", "training={steps: abc}"], ["training.steps", "'abc'"]),
    ([*SMOKE, "--set", "data=3"], ["data", "3"]),
    ([*SMOKE, "--set", "loss.preset=[1]"], ["loss.preset", "taming", "[1]"]),
    ([*SMOKE, "--set", "model.kind=vae"], ["model.kind", "'vae'", "taming_vqgan"]),
    ([*SMOKE, "--set", "model.checkpoint=absent.ckpt"], ["absent.ckpt", "Correct the path"]),
    ([*SMOKE, "--set", "model.checkpoint=empty"], ["empty", "model.safetensors or state.pt"]),
    ([*SMOKE, "--set", "model.checkpoint=text.mp4"], ["text.mp4", "cannot be read"]),
    ([*SMOKE, "--config", "absent_start.yaml"], ["absent.ckpt", "Correct the path"]),
    ([*SMOKE, "--set", "cluster.workers=3"], ["4 and 3", "Set data.batch_size to 6"]),
    ([*SMOKE, "--set", "training.validate_every=0"], ["validate_every", "a tenth"]),
    ([*SMOKE, "--set", "data.resolution=30"], ["30"]),
    (
        [*SMOKE, "--set", "model.kind=VQVAE2", "--set", "data.resolution=36"],
        ["multiples of 8", "36x36", "Use 32x32"],
    ),
    (
        [*SMOKE, "--set", "data.resolution=16", "--set", "loss.disc_weight=0"],
        ["perceptual network squeeze", "16 x 16", "Set data.resolution to 32"],
    ),
    (
        [
            *SMOKE,
            "--set",
            "cluster={workers: 64, gpus_per_worker: 1}",
            "--set",
            "data.batch_size=64",
        ],
        ["64 CPU and 64 GPU", "Lower cluster.workers"],
    ),
    ([*SMOKE, "--set", "objective=psrn"], ["'psrn'", "Did you mean 'psnr'?"]),
    (
        [*SMOKE, "--set", "objective=lpips", "--set", "loss.perceptual_net=none"],
        ["objective lpips", "Set it to alex"],
    ),
    ([*SMOKE, "--set", "scheduler.kind=ahsa"], ["scheduler.kind", "'asha', 'promoting'", "'ahsa'"]),
    ([*SMOKE, "--set", "scheduler.clock=gan"], ["scheduler.clock", "'disc_start'", "'gan'"]),
    (
        [*SMOKE, "--set", "scheduler={kind: none, grace: 3}"],
        ["scheduler: unknown setting 'grace'", "kind"],
    ),
    ([*SMOKE, "--set", "objective=[psnr, lpsip]"], ["'lpsip'", "Did you mean 'lpips'?"]),
    ([*SMOKE, "--set", "objective=[psnr, psnr]"], ["once", "psnr, psnr", "Leave one out"]),
    ([*SMOKE, "--set", "objective=[]"], ["must name a metric", "Write for example psnr"]),
    ([*SMOKE, "--set", "objective={}"], ["must name a metric", "Write for example psnr"]),
    ([*SMOKE, "--set", "objective=3"], ["objective: it must be a metric", "3", "Write psnr"]),
    ([*SMOKE, "--set", "objective={lpips: -20}"], ["above 0", "lpips: -20", "Write 20"]),
    ([*SMOKE, "--set", "objective.lpips=0"], ["above 0", "lpips: 0", "Leave the metric out"]),
    ([*SMOKE, "--set", "objective=[psnr, rfid]"], ["training.rfid", "Set it to pretrained"]),
    ([*SMOKE, "--set", "objective=perplexity/level0"], ["several code maps", "Name perplexity"]),
    (
        [*SMOKE, "--set", "constraints=[code_usage > 0.5]"],
        ["'>'", "Did you mean '>='?"],
    ),
    ([*SMOKE, "--set", "constraints=[code_usge >= 0.5]"], ["Did you mean 'code_usage'?"]),
    ([*SMOKE, "--set", "constraints=[rfid <= 9]"], ["constraint rfid needs training.rfid"]),
    ([*SMOKE, "--set", "constraints=code_usage >= 0.5"], ["must be a list", "Write it as ["]),
    ([*SMOKE, "--trials", "0"], ["budget.trials", "0"]),
    ([*SMOKE, "--name", "a/b"], ["name", "'a/b'"]),
    ([*SMOKE, "--storage", ".", "--name", "taken"], ["taken", "--name"]),
    ([*SMOKE, "--storage", "file"], ["file", "--storage"]),
    ([*SMOKE, "--config", "absent.yaml"], ["absent.yaml"]),
    ([*SMOKE, "--config", "broken.yaml"], ["broken.yaml", "neither YAML nor JSON"]),
    ([*SMOKE, "--config", "list.yaml"], ["list.yaml", "mapping"]),
    ([*SMOKE, "--config", "numbers.yaml"], ["1"]),
    (["sweep", "smok"], ["'smok'", "Did you mean 'smoke'?", "taming_vqgan"]),
    (["sweep", "absent.py"], ["'absent.py'", "Name an existing .py file"]),
    (["sweep", "torn.py"], ["torn.py", "SyntaxError", "line 1"]),
    (["sweep", "spaceless.py"], ["spaceless.py", "space(trial)", "search_spaces/smoke.py"]),
    (["sweep", "raises.py"], ["raises.py", "ZeroDivisionError"]),
    (["sweep", "misspelt.py", *OFFLINE], ["misspelt.py", "did you mean 'batch_size'?"]),
    (["sweep", "logits.py", *OFFLINE], ["loss.logit_init", "there is no file absent.pth"]),
    (["sweep", "sizes.py", *OFFLINE], ["data.resolution", "Start another experiment"]),
    (
        ["sweep", "lengths.py", *OFFLINE],
        ["data.clip_length decides which", "--set data.clip_length=8", "another experiment"],
    ),
    (
        ["sweep", "inits.py", *OFFLINE, "--set", "objective=lpips"],
        ["val/lpips_random with the same weights", "alex", "vgg", "another experiment"],
    ),
    (
        ["sweep", "inits.py", *OFFLINE, "--set", "objective=[psnr, lpips]"],
        ["val/lpips_random with the same weights", "another experiment"],
    ),
    (
        ["sweep", "inits.py", *OFFLINE, "--set", "constraints=[lpips <= 0.5]"],
        ["val/lpips_random with the same weights", "another experiment"],
    ),
    (
        ["sweep", "nets.py", *OFFLINE, "--set", "objective=lpips"],
        ["objective lpips needs loss.perceptual_net"],
    ),
    (
        ["sweep", "taming_vqgan", "--data", "demo"],
        ["vgg16-397923af.pth", "checkpoints", "Copy the file there"],
    ),
    (["sweep", "taming_vqgan", *OFFLINE[:2]], ["--data FOLDER"]),
    (["train", "--data", "demo"], ["vgg16-397923af.pth", "Copy the file there"]),
    (["train", "--from", "taken"], ["taken", "not an experiment"]),
    *(([command, "taken"], ["taken", "not an experiment"]) for command in ("status", "resume")),
    *(([command, "absent"], ["absent", "not an experiment"]) for command in ("export", "status")),
    (["status", "file"], ["file", "not an experiment"]),
    (["describe", "absent"], ["absent/config.json is missing", "raysweep export"]),
    (["describe", "taken", "--config", "broken.yaml"], ["taken", "--config broken.yaml", "one"]),
    (["describe", "--set", "data.resolution=100"], ["100x100", "Use 96x96"]),
    (["describe", "--set", "model.ch_mlt=[1]"], ["'ch_mlt'", "did you mean 'ch_mult'?"]),
]


@pytest.fixture
def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FILES in a folder without a network and without Ray."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "empty").mkdir()

    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(weights, "urlopen", unreachable)
    monkeypatch.setitem(sys.modules, "ray", None)  # an import of it fails
    return folder


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(("words", "pieces"), REFUSED, ids=lambda value: " ".join(value)[:60])
def test_it_is_refused_in_one_line(run, files, words, pieces):
    before = tree(files)
    code, out, error = run(*words)
    assert (code, out) == (2, "")
    assert error.startswith("raysweep: ")
    assert error.count("\n") == 1
    assert [piece for piece in pieces if piece not in error] == []
    assert tree(files) == before


def test_one_video_that_plays_among_bad_ones_is_enough(run, files):
    write_video(files / "bad" / "z.mp4")
    assert run(*SMOKE, "--data", "bad", "--dry-run").code == 0


def test_numbers_that_a_video_lacks_are_said(run, files):
    for number in (3, 6):
        write_image(files / f"frames/{number}.png")
    code, out, _ = run(*SMOKE, *FRAMES, "--data", "frames", "--dry-run")
    assert code == 0
    assert "1 of 1 videos lack numbered images, 2 in all, first *.png" in out


def test_one_image_that_opens_among_bad_ones_is_enough(run, files):
    write_image(files / "pictures" / "z.png")
    assert run(*SMOKE, *IMAGES, "--data", "pictures", "--dry-run").code == 0


def test_demo_videos_without_their_photographs_are_refused_before_ray(run, files, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "skimage" else find_spec(name)
    )
    code, _, error = run(*SMOKE)
    assert code == 2
    assert "Install raysweep[demo]" in error


def test_a_name_is_used_once(run, swept):
    code, _, error = run(*SMOKE, "--name", "small")
    assert code == 2
    assert f"raysweep resume {swept.folder}" in error
