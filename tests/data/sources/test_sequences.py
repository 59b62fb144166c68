"""Promises about numbered images: in the order of their numbers, a folder a video, whatever lies beside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.data import DataConfig
from raysweep.data.sources.discover import discover
from raysweep.data.sources.sequences import missing_numbers, sequences
from raysweep.data.storing.shards import read_shard
from raysweep.data.storing.store import prepare, shard_paths
from raysweep.errors import DataError
from tests.data.media import still, write_image, write_video

# images -> name of the video -> its frames
LAYOUTS = [
    (["dog/10.jpg", "dog/2.jpg"], {"dog": ["dog/2.jpg", "dog/10.jpg"]}),
    (["a/f_01.png", "a/f_02.PNG"], {"a": ["a/f_01.png", "a/f_02.PNG"]}),
    (
        ["v/img_1.jpg", "v/img_2.jpg", "v/flow_x_1.jpg", "v/flow_x_2.jpg"],
        {
            "v/flow_x_*.jpg": ["v/flow_x_1.jpg", "v/flow_x_2.jpg"],
            "v/img_*.jpg": ["v/img_1.jpg", "v/img_2.jpg"],
        },
    ),
    (["1.png", "2.png"], {"*.png": ["1.png", "2.png"]}),
    (["v/1.png", "v/1.jpg"], {}),
    (["v/1.png", "v/cover.png", "w/2.png"], {}),
    (["v/s1e2.png", "v/s1e3.png", "v/s2e3.png"], {"v": ["v/s1e2.png", "v/s1e3.png"]}),
    (["v/1 left.png", "v/2 left.png"], {"v": ["v/1 left.png", "v/2 left.png"]}),
]


@pytest.mark.parametrize(("names", "found"), LAYOUTS, ids=lambda value: " ".join(value))
def test_layouts(names, found):
    assert sequences(names) == found


@given(st.sets(st.integers(0, 10**6), min_size=2), st.integers(1, 8), st.randoms())
def test_frames_come_in_the_order_of_their_numbers(numbers, digits, random):
    names = [f"v/frame_{number:0{digits}}.png" for number in sorted(numbers)]
    assert sequences(random.sample(names, len(names))) == {"v": names}


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [([1, 2, 3], 0), ([0, 5, 10], 0), ([1, 2, 5], 2), ([5, 10, 20], 1), ([1], 0)],
)
def test_missing_numbers_are_counted_in_steps(numbers, missing):
    assert missing_numbers([f"v/{number}.png" for number in numbers]) == missing


def test_numbered_images_become_a_video_beside_videos(tmp_path):
    write_video(tmp_path / "videos/film.mp4", frames=4)
    for number in range(1, 12):
        write_image(tmp_path / f"videos/dog/{number}.png", 32, 32, seed=number)
    config = DataConfig(frame_folders=True, resolution=32)
    manifest = prepare(tmp_path / "videos", tmp_path / "store", config)
    dog, film = manifest.records
    assert [(record.name, record.frames) for record in (dog, film)] == [
        ("dog", 11),
        ("film.mp4", 4),
    ]
    assert (dog.fps, film.fps) == (None, 24)
    table = read_shard(shard_paths(tmp_path / "store", manifest)[0])
    stored = np.frombuffer(table["data"][0].as_buffer(), np.uint8).reshape(11, 32, 32, 3)
    for number, frame in enumerate(stored, 1):
        np.testing.assert_array_equal(frame, still(32, 32, seed=number))


@pytest.mark.parametrize("crop", ["center", "random"])
def test_frames_of_another_size_and_bad_ones_are_skipped_and_named(tmp_path, crop):
    for number in range(1, 5):
        write_image(tmp_path / f"videos/dog/{number}.png", 64 if number != 3 else 32, 48)
    (tmp_path / "videos/dog/5.png").write_bytes(b"no image")
    config = DataConfig(frame_folders=True, resolution=32, crop=crop, keep_partial=True)
    write_video(tmp_path / "videos/film.mp4", frames=4)
    dog, _ = prepare(tmp_path / "videos", tmp_path / "store", config).records
    assert dog.frames == 3
    assert list(dog.skipped_files) == ["dog/3.png", "dog/5.png"]


def test_folders_say_what_frames_are_for(tmp_path):
    for name in (
        "train/dog/1.png",
        "train/dog/2.png",
        "valid/1.png",
        "valid/2.png",
        "test/a/1.png",
        "test/a/2.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = discover(tmp_path, frame_folders=True)
    assert [(source.name, source.split) for source in found] == [
        ("test/a", "test"),
        ("train/dog", "train"),
        ("valid", "valid"),
    ]


@pytest.mark.parametrize(
    ("names", "asked", "message"),
    [
        (["v/1.png", "v/2.png"], {}, "Set data.frame_folders=true, .* or data.images=true"),
        (["v/a.png", "v/b.png"], {}, "Set data.images=true .* data.frame_folders takes numbered"),
        (["v/a.png", "v/1.png"], {"frame_folders": True}, "no two images .* Number a video's"),
        (["v/a.doc"], {"frame_folders": True}, "holds no video: "),
    ],
)
def test_the_setting_that_fits_is_named(tmp_path, names, asked, message):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=message):
        discover(tmp_path, **asked)
