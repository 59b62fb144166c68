"""Which frames are shown: spread over what validates, and always the same."""

from itertools import pairwise

import numpy as np
import pytest

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, index_clips
from raysweep.data.reading.reader import MappedReader
from raysweep.data.storing.manifest import read_manifest
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from raysweep.report.samples.shots import UNKNOWN_FPS, Amount, choose_shots
from tests.data.media import write_image


def test_they_are_of_the_validation_set_stills_first(footage):
    data, store = footage
    shots = choose_shots(store, data, Amount(stills=4, clips=2, clip_frames=6))
    valid = index_clips(read_manifest(store), "valid", data)
    frames = {(clip.source, clip.first_frame + at) for clip in valid for at in range(clip.length)}
    assert [shot.clip.length for shot in shots.of] == [1, 1, 1, 1, 6, 6]
    assert all(
        (c.source, c.first_frame + at) in frames for c, *_ in shots.of for at in range(c.length)
    )
    assert {shot.clip.source for shot in shots.of} == {clip.source for clip in valid}


def test_they_are_the_same_every_time_and_wherever_the_store_lies(footage, tmp_path):
    data, store = footage
    (tmp_path / "moved").symlink_to(store)
    one, other = (choose_shots(place, data, Amount()) for place in (store, tmp_path / "moved"))
    assert one.of == other.of
    assert one.digest == other.digest
    assert all(map(np.array_equal, one.frames, other.frames))
    assert choose_shots(store, data, Amount(stills=2)).digest != one.digest


@pytest.mark.parametrize("stills", [1, 2, 5, 20, 99])
def test_stills_are_spread_evenly(footage, stills):
    data, store = footage
    shots = choose_shots(store, data, Amount(stills=stills, clips=0))
    clips = index_clips(read_manifest(store), "valid", data)
    order = [(clip.source, clip.first_frame + at) for clip in clips for at in range(clip.length)]
    places = [order.index((shot.clip.source, shot.clip.first_frame)) for shot in shots.of]
    assert len(places) == min(stills, len(order))
    gaps = [later - earlier for earlier, later in pairwise(places)]
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
    assert min(gaps, default=1) > 0


@pytest.mark.parametrize(("stride", "length", "fps"), [(1, 10, 24), (2, 5, 12), (4, 3, 6)])
def test_a_clip_is_as_long_as_its_source_lets_it_and_plays_as_filmed(footage, stride, length, fps):
    data, store = footage
    strided = data.model_copy(update={"stride": stride})
    (shot,) = choose_shots(store, strided, Amount(stills=0, clips=1, clip_frames=24)).of
    first = shot.clip.first_frame
    assert shot.clip[1:] == (first, stride, length)
    assert first + (length - 1) * stride < 10
    assert shot.fps == pytest.approx(fps, rel=0.01)


def test_frames_are_as_they_are_stored(footage):
    data, store = footage
    shots = choose_shots(store, data, Amount(stills=1, clips=1, clip_frames=4))
    reader = MappedReader(store, read_manifest(store))
    for shot, frames_THWC in zip(shots.of, shots.frames, strict=True):
        for at, frame_HWC in enumerate(frames_THWC):
            single = Clip(shot.clip.source, shot.clip.first_frame + at, 1, 1)
            assert np.array_equal(reader.read_batch([single])[0, 0], frame_HWC)


def test_images_give_stills_alone(tmp_path):
    for seed in range(12):
        write_image(tmp_path / "photos" / f"{seed}.png", seed=seed)
    data = DataConfig(source=str(tmp_path / "photos"), images=True, resolution=32)
    prepare(tmp_path / "photos", tmp_path / "store", data)
    shots = choose_shots(tmp_path / "store", data, Amount())
    assert shots.of
    assert all(shot.is_still and shot.fps == UNKNOWN_FPS for shot in shots.of)


@pytest.mark.parametrize(
    ("split", "store", "reason"),
    [("auto", "gone", "must be a finished store"), ("none", "store", "none sets none apart")],
)
def test_without_frames_that_validate_it_says_why(footage, split, store, reason):
    data, there = footage
    with pytest.raises(DataError, match=reason):
        choose_shots(there.with_name(store), data.model_copy(update={"split": split}), Amount())
