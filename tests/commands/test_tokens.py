"""`raysweep encode` and `decode`: what they print, and what they refuse in one line."""

import json
import shutil
import stat

import pytest

from raysweep.cli import main
from raysweep.codec.h264 import ffmpeg
from tests.codec.models import CONV, export_untrained
from tests.data.media import write_video


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return export_untrained(tmp_path_factory.mktemp("models") / "conv", CONV)


@pytest.fixture
def here(model, tmp_path, monkeypatch):
    """A folder with the model, a video, its tokens, and other things."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(model, "model")
    write_video(tmp_path / "video.mp4", frames=10, width=50, height=34)
    assert main(["encode", "model", "video.mp4", "tokens.rsv", "--no-compare"]) == 0
    (tmp_path / "notes.txt").write_text("not a video")
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "torn.rsv").write_bytes((tmp_path / "tokens.rsv").read_bytes()[:-1])
    return tmp_path


def _programs(folder, monkeypatch, *scripts: tuple[str, str]) -> None:
    """Alone on the path."""
    folder.mkdir()
    for name, script in scripts:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(folder))


def test_there_and_back_without_ffmpeg(here, monkeypatch, capsys) -> None:
    _programs(here / "bin", monkeypatch)
    assert main(["encode", "model", "video.mp4", "new.rsv"]) == 0
    about, size = capsys.readouterr().out.splitlines()[-2:]
    assert about == "new.rsv: 10 frames of 50x34 px, 24 per second, filled up to 52x36"
    size_bytes = (here / "new.rsv").stat().st_size
    # 13 x 9 positions of 5 bits
    assert size == (
        f"{size_bytes:,} bytes, {8 * size_bytes / 17000:.4f} bits per pixel; nominal "
        f"{10 * 13 * 9 * 5 / 17000:.4f}, log2 K for each token"
    )
    assert main(["decode", "model", "new.rsv", "back.mkv"]) == 0
    assert capsys.readouterr().out == "back.mkv: 10 frames of 50x34 px, 24 per second\n"


@pytest.mark.skipif(ffmpeg() is None, reason="no ffmpeg with x264 here")
def test_beside_h264_where_there_is_an_ffmpeg(here, capsys) -> None:
    assert main(["encode", "model", "video.mp4", "new.rsv"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert " dB PSNR; H.264 (x264, two passes) in " in line


def test_an_ffmpeg_that_fails_leaves_the_tokens(here, monkeypatch, capsys) -> None:
    script = 'case "$*" in *-encoders*) echo " libx264 ";; *) exit 3;; esac'
    _programs(here / "bin", monkeypatch, ("ffmpeg", script))
    capsys.readouterr()
    assert main(["encode", "model", "video.mp4", "new.rsv"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ended with 3. Do without by --no-compare." in error
    assert (here / "new.rsv").read_bytes() == (here / "tokens.rsv").read_bytes()


ENCODE, DECODE = ["encode", "model", "video.mp4"], ["decode", "model", "tokens.rsv"]
# words of the command line, and pieces that its one line must hold: the value, and what to do
REFUSED = [
    (["encode", "absent", "video.mp4", "a.rsv"], ["absent", "Write one with"]),
    (["encode", "model", "absent.mp4", "a.rsv"], ["absent.mp4", "no such file", "that plays"]),
    (["encode", "model", "notes.txt", "a.rsv"], ["notes.txt", "'.txt'", "that plays"]),
    (["encode", "model", "text.mp4", "a.rsv"], ["text.mp4", "that plays"]),
    ([*ENCODE, "tokens.rsv"], ["tokens.rsv exists", "name another"]),
    ([*ENCODE, "video.mp4"], ["video.mp4 exists", "name another"]),
    ([*ENCODE, "notes.txt/a.rsv"], ["notes.txt", "Name another"]),
    ([*ENCODE, "a.rsv", "--device", "tpu"], ["'tpu'", "Choose one"]),
    (["decode", "model", "absent.rsv", "back.mp4"], ["absent.rsv", "Name one"]),
    (["decode", "model", "torn.rsv", "back.mp4"], ["torn.rsv is damaged", "Copy it again"]),
    (["decode", "model", "video.mp4", "back.mp4"], ["video.mp4 does not", "another file"]),
    ([*DECODE, "back.avi"], ["back.avi", ".mkv"]),
    ([*DECODE, "tokens.rsv"], ["tokens.rsv", "Name one"]),
    ([*DECODE, "video.mp4"], ["video.mp4 exists", "name another"]),
    ([*DECODE, "notes.txt/back"], ["notes.txt", "Name another"]),
    (["decode", "other", "tokens.rsv", "back.mp4"], ["tokens.rsv is of model", "Name the folder"]),
]


@pytest.mark.parametrize(("words", "pieces"), REFUSED, ids=[" ".join(r[0]) for r in REFUSED])
def test_what_cannot_work_is_one_line_and_writes_nothing(here, words, pieces, capsys) -> None:
    shutil.copytree("model", "other")
    settings = json.loads((here / "other" / "config.json").read_text())
    settings["model"]["quantizer"]["decay"] = 0.5
    (here / "other" / "config.json").write_text(json.dumps(settings))
    before = sorted(here.rglob("*"))
    capsys.readouterr()
    assert main(words) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert all(piece in error for piece in pieces), error
    assert sorted(here.rglob("*")) == before


def test_what_is_wrong_with_a_video_is_said(here, capsys) -> None:
    whole = write_video(here / "whole.avi", frames=60, codec="MJPG").read_bytes()
    (here / "torn.avi").write_bytes(whole[: len(whole) // 2])
    assert main(["encode", "model", "torn.avi", "new.rsv", "--no-compare"]) == 0
    said = capsys.readouterr().out
    assert "torn.avi breaks off after " in said
    assert "of 60 frames: what comes before is encoded" in said
