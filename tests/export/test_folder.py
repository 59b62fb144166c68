"""An exported folder is the checkpoint's model, whole, and needs nothing of the experiment."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from raysweep.errors import ConfigError, ExperimentError
from raysweep.experiment.layout import Experiment
from raysweep.export import export, export_for
from raysweep.models import Tokenizer
from raysweep.pretrained import load
from raysweep.schema import Tree
from raysweep.tracking.pictures import PictureFolder
from raysweep.training import checkpoint
from raysweep.training.evaluate import to_frames
from raysweep.training.loop import fit
from tests.models.pairs import FAMILIES
from tests.tiny import CPU, EMA, MemoryBatches, clips, tiny_parts, tiny_run

FILES = {"config.json", "model.safetensors", "metrics.json", "reconstructions.png", "README.md"}


MODELS: dict[str, Tree] = {
    "gradient": {},
    "ema": {"model.quantizer": EMA},
    "two levels": {"model": {**FAMILIES["hierarchical"], "quantizer": EMA}},
}


@pytest.fixture(params=MODELS)
def experiment(request: pytest.FixtureRequest, tmp_path: Path) -> Experiment:
    """With one trained trial, 0000."""
    changes = {**MODELS[request.param], "loss.perceptual_net": "none"}
    experiment = Experiment(tmp_path / "wide-or-deep")
    trial = experiment.trial("0000")
    tracker = PictureFolder(trial / "reconstructions")
    batches = MemoryBatches(tiny_run(changes))
    fit(tiny_parts(changes), batches, lambda report: None, tracker, trial / "best")
    return experiment


def _tokenizer_of(source: Path) -> Tokenizer:
    changes = {"model": json.loads((source / "config.json").read_text())["model"]}
    return tiny_parts(changes).state.tokenizer.eval()


def test_the_folder_is_the_checkpoints_model(experiment, tmp_path) -> None:
    folder = export(experiment, "0000", "val/psnr", tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == FILES
    best = experiment.best_checkpoint("0000", "val/psnr")
    tokenizer = _tokenizer_of(folder)
    tokenizer.load_state_dict(checkpoint.load(best)["tokenizer"])
    video = clips(1, frames=40)[0]  # more than pass through the network at once
    loaded = load(folder)
    codes = loaded.encode(video.numpy())
    with torch.no_grad():
        wanted = tokenizer.encode(to_frames(video[None], CPU)).codes
        frames = tokenizer.decode_codes(wanted)
    assert [ids.shape for ids in codes] == [(40, 32 // f, 32 // f) for f in tokenizer.downsampling]
    assert all(torch.equal(*pair) for pair in zip(codes, wanted, strict=True))
    pixels = (frames.clamp(-1, 1) + 1).mul(127.5).round().byte().permute(0, 2, 3, 1)
    assert (torch.from_numpy(loaded.decode(codes)).int() - pixels.int()).abs().max() <= 1


def test_the_metrics_and_the_card_are_the_checkpoints(experiment, tmp_path) -> None:
    folder = export(experiment, "0000", "val/psnr", tmp_path / "out")
    best = experiment.best_checkpoint("0000", "val/psnr")
    saved = json.loads((best / "metrics.json").read_text())
    told = json.loads((folder / "metrics.json").read_text())
    assert {name: told[name] for name in saved} == saved
    assert (told["trial"], told["experiment"]) == ("0000", str(experiment.folder))
    card = (folder / "README.md").read_text()
    assert f"trained for {saved['step']} steps" in card
    for name, value in saved["metrics"].items():
        assert f"| {name} | {value:.5g} |" in card
    levels = len(load(folder).tokenizer.levels)
    assert sum("val/perplexity/level" in name for name in saved["metrics"]) == levels * (levels > 1)


def test_the_card_shows_the_picture_where_there_is_one(experiment, tmp_path) -> None:
    link = "](reconstructions.png)"
    assert (
        link in (export(experiment, "0000", "val/psnr", tmp_path / "a") / "README.md").read_text()
    )
    shutil.rmtree(experiment.trial("0000") / "reconstructions")
    folder = export(experiment, "0000", "val/psnr", tmp_path / "b")
    assert {path.name for path in folder.iterdir()} == FILES - {"reconstructions.png"}
    assert link not in (folder / "README.md").read_text()


def test_exported_again_it_replaces_the_earlier_export(experiment, tmp_path) -> None:
    folder = export(experiment, "0000", "val/psnr", tmp_path / "out")
    (folder / "old").touch()
    before = {path.name for path in tmp_path.iterdir()}
    export(experiment, "0000", "val/psnr", folder)
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_folder_that_holds_something_else_is_left_alone(experiment, tmp_path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ExperimentError, match="holds something else"):
        export(experiment, "0000", "val/psnr", tmp_path)
    assert (tmp_path / "thesis.tex").exists()


@pytest.mark.parametrize(("trial", "metric"), [("0007", "val/psnr"), ("0000", "val/ssim")])
def test_what_was_not_kept_is_an_error_that_says_how_to_go_on(
    experiment, trial, metric, tmp_path
) -> None:
    with pytest.raises(ExperimentError, match=f"trial {trial} .* `raysweep status`"):
        export(experiment, trial, metric, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def wide(tmp_path: Path) -> Experiment:
    """With a trial of a size that taming-transformers can take."""
    parts = tiny_parts({"model.ch": 32, "discriminator.norm": "batch"})
    experiment = Experiment(tmp_path / "wide")
    best = experiment.best_checkpoint("0000", "val/psnr")
    checkpoint.save(best, parts.state, {"val/psnr": 20.0}, parts.settings)
    return experiment


def test_one_file_for_public_code_holds_both_networks(wide, tmp_path) -> None:
    file = tmp_path / "new" / "best.ckpt"
    assert export_for("taming", wide, "0000", "val/psnr", file)
    saved = checkpoint.load(wide.best_checkpoint("0000", "val/psnr"))
    state = torch.load(file)["state_dict"]
    disc = {f"loss.discriminator.{name}": t for name, t in saved["discriminator"].items()}
    torch.testing.assert_close(state, dict(saved["tokenizer"]) | disc, atol=0, rtol=0)
    assert list(file.parent.iterdir()) == [file]


def test_one_file_replaces_none(wide, tmp_path) -> None:
    (tmp_path / "thesis.ckpt").write_text("years of work")
    with pytest.raises(ExperimentError, match=r"replaces none, and .*thesis\.ckpt exists"):
        export_for("taming", wide, "0000", "val/psnr", tmp_path / "thesis.ckpt")
    assert (tmp_path / "thesis.ckpt").read_text() == "years of work"


def test_a_model_that_public_code_has_not_leaves_no_file(experiment, tmp_path) -> None:
    """Too narrow for its group normalization, or of another family."""
    with pytest.raises(ConfigError, match=r"multiples of 32|holds models of taming_vqgan"):
        export_for("taming", experiment, "0000", "val/psnr", tmp_path / "best.ckpt")
    assert not (tmp_path / "best.ckpt").exists()
