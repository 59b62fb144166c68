"""`raysweep evaluate`: any footage, a row a source, two models side by side, and what is refused in a line."""

import csv
import json
from pathlib import Path

import cv2
import pytest
import torch

from raysweep.hub import write_model
from raysweep.metrics.psnr import PSNR
from raysweep.pretrained import load
from raysweep.training.evaluate import scored
from tests.data.media import BROKEN, write_image, write_video
from tests.tiny import tiny_parts, tiny_run


@pytest.fixture(autouse=True)
def models(folder: Path) -> None:
    """Two of other seeds, and footage of several kinds and sizes."""
    for seed in (0, 1):
        (folder / f"model{seed}").mkdir()
        changes = {"seed": seed, "loss.perceptual_net": "none"}
        state = tiny_parts(changes).state.tokenizer.state_dict()
        write_model(folder / f"model{seed}", tiny_run(changes), state)
    for seed in range(2):
        write_video(folder / "mixed" / f"{seed}.mp4", 5, 48 + 16 * seed, 44, seed)
    write_video(folder / "mixed" / "small.mp4", 3, 24, 16, 5)
    for seed in range(3):
        write_image(folder / "mixed" / "stills" / f"{seed}.png", 40 + 8 * seed, 36, seed)
    (folder / "mixed" / "broken.mp4").write_bytes(BROKEN["noise.avi"])


def rows_of(file: Path) -> dict[str, dict[str, str]]:
    with file.open() as opened:
        return {row["source"]: row for row in csv.DictReader(opened)}


def test_every_source_has_a_row_and_bad_files_are_named(run, folder):
    code, out, _ = run("evaluate", "model0", "--data", "mixed", "--csv", "rows.csv")
    assert code == 0
    assert "left out broken.mp4: not a video that OpenCV can open" in out
    assert "1 of 5 are smaller than 32 px, and were enlarged" in out
    rows = rows_of(folder / "rows.csv")
    assert {name: int(row["frames"]) for name, row in rows.items()} == {
        "0.mp4": 5,
        "1.mp4": 5,
        "small.mp4": 3,
        "stills": 3,
        "all": 16,
    }
    mean = sum(
        int(row["frames"]) * float(row["psnr"]) for name, row in rows.items() if name != "all"
    )
    assert float(rows["all"]["psnr"]) == pytest.approx(mean / 16)
    assert rows["stills"]["flicker"] == ""


def test_whole_frames_are_scored_in_their_own_size(run, folder):
    code, _, _ = run("evaluate", "model0", "--data", "mixed", "--native", "--csv", "rows.csv")
    assert code == 0
    rows = rows_of(folder / "rows.csv")
    sizes = {name: row["size"] for name, row in rows.items() if name.endswith("mp4")}
    assert sizes == {"0.mp4": "48x44", "1.mp4": "64x44", "small.mp4": "24x16"}
    model = load("model0")
    video = cv2.VideoCapture("mixed/0.mp4")
    frames = [cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2RGB) for _ in range(5)]
    clips = torch.stack(list(map(torch.from_numpy, frames)))[None]
    with torch.no_grad():
        wanted = PSNR().scores(scored(model.tokenizer, clips, model.device)).mean()
    assert float(rows["0.mp4"]["psnr"]) == pytest.approx(float(wanted), abs=1e-4)


def test_two_models_are_compared_source_by_source(run, folder):
    words = ("--against", "model1", "--json", "all.json", "--picture", "frames.png")
    code, out, _ = run("evaluate", "model0", "--data", "mixed", *words)
    assert code == 0
    assert "p = " in out
    assert "two-sided permutation test over 4 sources; on so few sources" in out
    found = json.loads((folder / "all.json").read_text())
    first, second = (one["figures"]["psnr"] for one in found["models"])
    assert found["difference"]["psnr"]["difference"] == pytest.approx(second - first)
    assert cv2.imread("frames.png").shape[1] > 800
    code, out, _ = run("evaluate", "model0", "--data", "mixed", "--against", "model0")
    assert "leads model0 by 0.0000 dB PSNR: within noise" in out


def test_lpips_without_its_weights_is_refused_and_can_be_left_out(run):
    code, _, error = run("evaluate", "model0", "--data", "mixed", "--lpips", "alex")
    assert code == 2
    assert "alexnet" in error
    assert "Without LPIPS: --lpips none" in error
    code, _, error = run("evaluate", "model0", "--data", "mixed", "--rfid", "nowhere.pth")
    assert code == 2
    assert "there is no file nowhere.pth" in error
    assert run("evaluate", "model0", "--data", "mixed/0.mp4", "--lpips", "none").code == 0


REFUSED = [
    (("nothing", "--data", "mixed"), "config.json and model.safetensors"),
    (("mixed", "--data", "mixed"), "config.json and model.safetensors"),
    (("model0",), "there must be footage to evaluate on"),
    (("model0", "--data", "nowhere"), "--data must exist, got "),
    (("model0", "--data", "empty"), "--data holds no video or image"),
    (("model0", "--data", "mixed/broken.mp4"), "--data needs a file that decodes"),
    (("model0", "--data", "mixed", "--trial", "0003"), "a trial is of an experiment"),
    (("model0", "--data", "mixed", "--split", "valid"), "--split chooses from a prepared store"),
    (("model0", "--data", "mixed", "--picture", "frames.jpg"), "--picture writes a .png file"),
    (("model0", "--data", "mixed", "--csv", "no/rows.csv"), "--csv needs a file in a folder"),
    (("damaged", "--data", "mixed"), "must hold the weights of the model"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_is_refused_is_refused_in_a_line(run, folder, words, said):
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "config.json").write_bytes((folder / "model0/config.json").read_bytes())
    (folder / "damaged" / "model.safetensors").write_bytes(b"torn")
    code, _, error = run("evaluate", *words)
    assert code == 2
    assert said in error
    assert error.count("\n") == 1
