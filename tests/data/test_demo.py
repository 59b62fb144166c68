"""Promises about the demo videos: natural, moving, framed inside the photograph, made once."""

import importlib.util
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.data.decoding.decode import read_frames
from raysweep.data.demo import (
    MAX_TURN_DEGREES,
    PHOTOGRAPHS,
    ZOOM,
    _view,
    check_demo_videos,
    make_demo_videos,
)
from raysweep.data.sources.discover import discover
from raysweep.errors import DataError

SMALL = {"train": 2, "valid": 1, "frames": 6, "size": 32}


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_folders_are_a_source_with_a_split(tmp_path):
    make_demo_videos(tmp_path, **SMALL)
    found = discover(tmp_path, "folders")
    assert [source.split for source in found] == ["train", "train", "valid"]
    for source in found:
        assert [frame.shape for frame in read_frames(source.files[0].path)] == [(32, 32, 3)] * 6


def test_every_video_shows_something_that_moves(tmp_path):
    make_demo_videos(tmp_path, frames=12)
    found = discover(tmp_path, "folders")
    assert Counter(source.split for source in found) == {"train": 36, "valid": 4}
    for source in found:
        frames = np.stack(list(read_frames(source.files[0].path))).astype(float)
        assert frames.std(axis=(1, 2)).mean() > 4, f"{source.name} is flat"
        assert np.abs(frames[-1] - frames[0]).mean() > 1, f"{source.name} stands still"


def test_no_photograph_is_in_both_splits():
    views = {split: {name[:10] for name in names} for split, names in PHOTOGRAPHS.items()}
    assert not views["train"] & views["valid"]


@given(
    shape=st.tuples(st.integers(20, 90), st.integers(20, 90)),
    across=st.floats(0, 1),
    down=st.floats(0, 1),
    zoom=st.floats(*ZOOM),
    turn=st.floats(-MAX_TURN_DEGREES, MAX_TURN_DEGREES),
)
def test_the_camera_never_looks_beyond_the_photograph(shape, across, down, zoom, turn):
    white = np.full((*shape, 3), 255, np.uint8)
    assert _view(white, across, down, zoom, turn, 24).min() == 255


def test_complete_videos_are_kept_and_the_same_anywhere(tmp_path):
    make_demo_videos(tmp_path / "a", **SMALL)
    made = []
    make_demo_videos(tmp_path / "a", **SMALL, progress=lambda done, total: made.append(done))
    assert made == []
    make_demo_videos(
        tmp_path / "b", **SMALL, progress=lambda done, total: made.append((done, total))
    )
    assert made == [(1, 3), (2, 3), (3, 3)]
    assert list(contents(tmp_path / "a").values()) == list(contents(tmp_path / "b").values())


@pytest.mark.parametrize("lost", ["demo.json", "valid/demo-00-chelsea.mp4"])
def test_half_made_videos_are_made_again(tmp_path, lost):
    make_demo_videos(tmp_path, **SMALL)
    before = contents(tmp_path)
    (tmp_path / lost).unlink()
    (tmp_path / "train" / "demo-00-astronaut.mp4").write_bytes(b"half")
    make_demo_videos(tmp_path, **SMALL)
    assert contents(tmp_path) == before


def test_other_settings_replace_the_demo_videos_and_nothing_else(tmp_path):
    make_demo_videos(tmp_path, **SMALL)
    (tmp_path / "train" / "mine.mp4").touch()
    make_demo_videos(tmp_path, **SMALL | {"train": 1})
    names = sorted(path.name for path in (tmp_path / "train").iterdir())
    assert names == ["demo-00-astronaut.mp4", "mine.mp4"]


def test_without_scikit_image_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"Install raysweep\[demo\]"):
        make_demo_videos(tmp_path)
    with pytest.raises(DataError, match=r"Install raysweep\[demo\]"):
        check_demo_videos(tmp_path)


def test_videos_that_are_there_need_no_scikit_image(tmp_path, monkeypatch):
    make_demo_videos(tmp_path, **SMALL)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_demo_videos(tmp_path)
