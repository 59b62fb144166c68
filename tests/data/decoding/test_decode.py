"""Promises about decoding: what decodes is what there is, RGB, upright, square; junk says why."""

from pathlib import Path

import numpy as np
import pytest

from raysweep.data.decoding.decode import (
    IMAGE_READERS,
    IMAGE_SUFFIXES,
    READERS,
    DecodeError,
    frame_rate,
    read_frames,
)
from tests.data.media import BROKEN, oriented, still, write_image, write_video

REAL = Path(__file__).parents[4] / "shared" / "data" / "videos"


def test_frames_are_hwc_rgb_uint8(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=5, width=64, height=32)
    frames = list(read_frames(path))
    assert [(f.shape, f.dtype) for f in frames] == [((32, 64, 3), np.dtype("uint8"))] * 5
    red_to_blue = frames[0][10, 10].astype(int)
    assert np.abs(red_to_blue - [60, 40, 20]).max() < 12, "channels arrive in the order R, G, B"
    assert frame_rate(path) == 24


@pytest.mark.parametrize("name", BROKEN)
def test_junk_says_why(tmp_path, name):
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(DecodeError, match=r"empty|not a video|no decodable frame"):
        next(read_frames(tmp_path / name))


@pytest.mark.parametrize(("name", "why"), [("notes.pdf", "no reader"), ("gone.mp4", "no such")])
def test_what_is_not_tried_says_why(tmp_path, name, why):
    with pytest.raises(DecodeError, match=why):
        read_frames(tmp_path / name)


def test_a_stream_that_breaks_off_just_ends(tmp_path):
    whole = write_video(tmp_path / "a.avi", frames=60, width=160, height=120).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    assert 0 < len(list(read_frames(tmp_path / "cut.avi"))) < 60


@pytest.mark.parametrize(
    "name", ["a b.mp4", 'it\'s "q".mp4', "two\nlines.MP4", "视频é.mp4", "%03d.mp4"]
)
def test_odd_names(tmp_path, name):
    assert len(list(read_frames(write_video(tmp_path / name, frames=3)))) == 3


def read_image(path):
    (image_HWC,) = read_frames(path, IMAGE_READERS)
    return image_HWC.astype(int)


@pytest.mark.parametrize("suffix", sorted({*IMAGE_SUFFIXES} - {".pgm"}))
def test_an_image_is_one_frame_rgb(tmp_path, suffix):
    image = read_image(write_image(tmp_path / f"é{suffix.upper()}"))
    assert np.abs(image - still()).max() < 5


@pytest.mark.parametrize(
    ("suffix", "made"),
    [
        (".png", {"channels": 4}),
        (".tif", {"channels": 4}),
        (".png", {"channels": 1}),
        (".pgm", {"channels": 1}),
        (".png", {"dtype": np.uint16}),
        (".tif", {"dtype": np.uint16}),
        (".png", {"channels": 1, "dtype": np.uint16}),
    ],
)
def test_alpha_grey_and_16_bits_become_rgb_of_8(tmp_path, suffix, made):
    expected = still()[..., [2, 2, 2]] if made.get("channels") == 1 else still()
    assert np.array_equal(read_image(write_image(tmp_path / f"a{suffix}", **made)), expected)


def test_a_photograph_is_turned_upright(tmp_path):
    path = write_image(tmp_path / "a.jpg")
    path.write_bytes(oriented(path.read_bytes(), 6))  # held a quarter turn to the left
    assert np.abs(read_image(path) - np.rot90(still(), -1)).max() < 5


def test_an_image_that_is_not_whole_or_without_a_white_says_why(tmp_path):
    whole = {name: write_image(tmp_path / name) for name in ("a.png", "a.jpg", "a.tif", "a.webp")}
    for path in whole.values():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / "text.png").write_text("not an image")
    floats = write_image(tmp_path / "floats.tif", dtype=np.float32)
    for path in (*whole.values(), tmp_path / "text.png", floats):
        with pytest.raises(DecodeError, match="not an image"):
            next(read_frames(path, IMAGE_READERS))


@pytest.mark.parametrize(("name", "readers"), [("a.png", READERS), ("a.mp4", IMAGE_READERS)])
def test_videos_and_images_are_not_mixed_up(tmp_path, name, readers):
    (tmp_path / name).write_text("x")
    with pytest.raises(DecodeError, match="no reader"):
        read_frames(tmp_path / name, readers)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real clips are not at {REAL}")
def test_real_footage():
    assert sum(1 for _ in read_frames(REAL / "nasa_13013.mp4")) == 325
