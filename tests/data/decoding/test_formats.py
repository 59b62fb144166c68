"""Promises about formats: whatever a file is made of, its frames come out upright, RGB, of 8 bits."""

import numpy as np
import pytest

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import IMAGE_READERS, read_frames
from raysweep.data.decoding.fit import fit_square
from raysweep.data.storing.manifest import SourceRecord
from raysweep.data.storing.store import prepare
from tests.data.media import (
    rotated,
    see_through,
    still,
    write_image,
    write_see_through,
    write_video,
    write_y4m,
)
from tests.data.stores import read_shards

YUV = (110, 90, 180)


def rgb_of(luma, blue, red):
    """BT.601, video range."""
    y, u, v = 1.164 * (luma - 16), blue - 128, red - 128
    return np.array([y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u])


@pytest.mark.parametrize("kind", ["420jpeg", "444", "420p10", "mono"])
@pytest.mark.parametrize("size", [(48, 32), (33, 47)], ids=["even", "odd"])
def test_video_of_any_sampling_depth_and_size(tmp_path, kind, size):
    width, height = size
    path = write_y4m(tmp_path / "a.mkv", kind, width=width, height=height, yuv=YUV)
    frames = list(read_frames(path))
    colour = np.full(3, YUV[0]) if kind == "mono" else rgb_of(*YUV)
    assert [(frame.shape, frame.dtype) for frame in frames] == [((height, width, 3), np.uint8)] * 3
    assert np.abs(frames[1] - colour).max() < 4


def test_a_video_is_turned_upright(tmp_path):
    plain = write_video(tmp_path / "plain.mp4", frames=3)
    (tmp_path / "turned.mp4").write_bytes(rotated(plain.read_bytes()))
    expected = [np.rot90(frame, -1) for frame in read_frames(plain)]
    assert np.array_equal(list(read_frames(tmp_path / "turned.mp4")), expected)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.png", {}),
        ("16 bits.png", {"dtype": np.uint16}),
        ("lossless.webp", {}),
        ("lossy.webp", {"lossless": False}),
    ],
)
def test_what_is_see_through_lies_over_white(tmp_path, name, made):
    (image,) = read_frames(write_see_through(tmp_path / name, **made), IMAGE_READERS)
    expected = see_through()[..., :3].astype(int)
    expected[:, 24:] = 255
    near_the_edge = 4 if "lossy" in name else 0
    far = [*range(24 - near_the_edge), *range(24 + near_the_edge, 48)]
    assert np.abs(image - expected)[:, far].max() < 4


def test_a_see_through_gif_lies_over_white_too(tmp_path):
    (frame,) = read_frames(write_see_through(tmp_path / "a.gif"))
    assert np.abs(frame[5, 5] - np.array([200, 80, 40])).max() < 45, "a small palette"
    assert frame[5, -5].tolist() == [255, 255, 255]


@pytest.fixture
def frames(tmp_path):
    """Five of them, of one folder."""
    for n in range(5):
        write_image(tmp_path / "frames" / "dog" / f"{n}.png", seed=n)
    return tmp_path / "frames"


OF_FRAMES = {"resolution": 16, "frame_folders": True, "max_bad_fraction": 1.0}


def test_a_folder_of_frames_is_a_video(frames, tmp_path):
    config = DataConfig(**OF_FRAMES, fps=3)
    manifest = prepare(frames, tmp_path / "store", config)
    (record,) = manifest.good
    assert (record.frames, record.fps, record.lacks) == (5, None, None)
    (table,) = read_shards(tmp_path / "store", manifest)
    expected = (fit_square(still(seed=n), config).tobytes() for n in range(5))
    assert b"".join(table["data"].to_pylist()) == b"".join(expected)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.write_bytes(b"junk"), "not an image that OpenCV can open"),
        (lambda path: write_image(path, width=99), "its size is not that of the first frame"),
    ],
)
def test_a_hole_in_a_folder_of_frames_makes_it_partial(frames, tmp_path, damage, why):
    write_video(tmp_path / "frames" / "whole.mp4", frames=3)
    damage(frames / "dog" / "3.png")
    kept = prepare(frames, tmp_path / "kept", DataConfig(**OF_FRAMES, keep_partial=True))
    lacks = f"lacks 'dog/3.png': {why}"
    assert [of_interest(record) for record in kept.records] == [
        (4, None, lacks, {"dog/3.png": why}),
        (3, None, None, {}),
    ]
    strict = prepare(frames, tmp_path / "strict", DataConfig(**OF_FRAMES))
    reason = f"{lacks}; data.keep_partial=true keeps what decodes"
    assert of_interest(strict.records[0]) == (0, reason, None, {})
    assert [tuple(skipped) for skipped in strict.skipped] == [("dog", reason)]
    assert len(list((tmp_path / "strict" / "frames").iterdir())) == 2, "shard and note of one"


def of_interest(record: SourceRecord):
    return record.frames, record.error, record.lacks, record.skipped_files
