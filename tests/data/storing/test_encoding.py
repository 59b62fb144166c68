"""Promises about stored frames: exact where nothing may be lost, near where something may, damage told."""

import numpy as np
import pytest

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip
from raysweep.data.reading.reader import ClipReader
from raysweep.data.storing.encoding import decode, encode, psnr
from raysweep.data.storing.manifest import read_manifest
from raysweep.data.storing.shards import SEGMENT_FRAMES, read_shard, write_shard
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from tests.data.media import still, write_video
from tests.data.stores import read_shards

EXACT = ["raw", "png"]
LOSSY = {("jpeg", 95): 40, ("jpeg", 50): 28, ("webp", 95): 30, ("webp", 50): 26}
"""Encoding and quality -> dB that frames of smooth colours are above."""


def settings(encoding, quality=95, **others):
    return DataConfig(resolution=32, encoding=encoding, quality=quality, **others).preprocessing


def frames(count=SEGMENT_FRAMES * 2 + 5, size=32):
    return [still(size, size, seed) // 2 + 40 for seed in range(count)]


def read(path, clip):
    return ClipReader([read_shard(path)], 32).read_batch([clip])[0]


@pytest.mark.parametrize("encoding", EXACT)
def test_what_may_not_be_lost_is_not(tmp_path, encoding):
    written = write_shard(tmp_path / "s.arrow", "s", iter(frames()), settings(encoding))
    assert written.psnr is None
    clip = Clip("s", 0, 1, len(frames()))
    np.testing.assert_array_equal(read(tmp_path / "s.arrow", clip), np.stack(frames()))


@pytest.mark.parametrize(("encoding", "quality"), LOSSY)
def test_what_is_lost_is_little_and_measured(tmp_path, encoding, quality):
    path, all_HWC = tmp_path / "s.arrow", frames()
    written = write_shard(path, "s", iter(all_HWC), settings(encoding, quality))
    stored_THWC = read(path, Clip("s", 0, 1, len(all_HWC)))
    sample = slice(None, None, SEGMENT_FRAMES)
    errors = (np.stack(all_HWC)[sample].astype(float) - stored_THWC[sample]) ** 2
    assert written.psnr == pytest.approx(10 * np.log10(255**2 / errors.mean()), rel=1e-5)
    assert written.psnr > LOSSY[encoding, quality]
    assert written.shard_bytes < written.frame_bytes == len(all_HWC) * 32 * 32 * 3


def test_jpeg_keeps_colour_at_every_pixel():
    stripes_HWC = np.zeros((32, 32, 3), np.uint8)
    stripes_HWC[:, ::2], stripes_HWC[:, 1::2] = (200, 60, 60), (60, 60, 200)
    stored_HWC = decode(encode([stripes_HWC], settings("jpeg")).data)
    assert np.abs(stripes_HWC.astype(int) - stored_HWC).mean() < 2, "4:2:0 is off by 51"


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "webp", "png"])
@pytest.mark.parametrize("crop", ["center", "random"])
def test_a_clip_from_anywhere_is_what_a_read_in_order_gives(tmp_path, encoding, crop):
    data = DataConfig(resolution=32, encoding=encoding, crop=crop)
    write_video(tmp_path / "a.mp4", frames=80)
    manifest = prepare(tmp_path / "a.mp4", tmp_path / "store", data)
    reader = ClipReader(read_shards(tmp_path / "store", manifest), 32)
    (all_THWC,) = reader.read_batch([Clip("a.mp4", 0, 1, 80)])
    for first, stride, length in [(0, 1, 1), (79, 1, 1), (30, 1, 4), (1, 7, 12), (31, 33, 2)]:
        (clip_THWC,) = reader.read_batch([Clip("a.mp4", first, stride, length)])
        np.testing.assert_array_equal(clip_THWC, all_THWC[first::stride][:length])
    assert read_manifest(tmp_path / "store").good[0].frame_bytes >= 80 * 32 * 32 * 3


@pytest.mark.parametrize("encoding", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("damage", [lambda picture: picture * 0, lambda picture: picture[:0]])
def test_a_damaged_picture_is_told(encoding, damage):
    picture = encode(frames(1), settings(encoding)).data
    with pytest.raises(DataError, match=r"does not decode.*prepare --verify"):
        decode(damage(picture))


@pytest.mark.parametrize(("error", "decibels"), [(0.0, None), (255.0**2, 0.0), (650.25, 20.0)])
def test_decibels(error, decibels):
    assert psnr(error) == pytest.approx(decibels)
