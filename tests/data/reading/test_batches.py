"""Promises about batches: images drawn together anew, starts drawn anew, each validation clip once."""

from itertools import islice

import numpy as np
import pytest
import torch

from raysweep.data import DataConfig
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.reader import ClipReader
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.data.storing.shards import read_shard, write_shard

SIDE = 2
FRAMES = {"a": 37, "b": 12, "c": 90}
IMAGES = DataConfig(images=True, clip_length=3, batch_size=4, valid_fraction=0.2, resolution=8)
RANDOM = DataConfig(random_start=True, clip_length=4, stride=2, batch_size=4, resolution=8)
PLAIN = RANDOM.model_copy(update={"random_start": False})
MODES = pytest.mark.parametrize(
    "config", [IMAGES, RANDOM, PLAIN], ids=["images", "random", "plain"]
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Every frame is of one colour: its source in red, its number in green."""
    folder = tmp_path_factory.mktemp("shards")
    for red, (name, count) in enumerate(FRAMES.items()):
        frames = np.zeros((count, SIDE, SIDE, 3), np.uint8)
        frames[..., 0], frames[..., 1] = red, np.arange(count)[:, None, None]
        write_shard(folder / name, name, frames, Preprocessing())
    return ClipReader([read_shard(folder / name) for name in FRAMES], SIDE)


@pytest.fixture
def batches(reader):
    records = [
        SourceRecord(name=n, split=None, source_bytes=1, frames=f) for n, f in FRAMES.items()
    ]

    def of(config, rank=0, workers=1, seed=1):
        manifest = Manifest(source="x", settings=config.preprocessing, records=tuple(records))
        return Batches(reader, manifest, config, seed=seed, rank=rank, workers=workers)

    return of


def seen(clips_BTHWC):
    """(source, frame) of every frame."""
    return [tuple(pair) for pair in clips_BTHWC[:, :, 0, 0, :2].reshape(-1, 2).tolist()]


@MODES
def test_a_batch_is_clips_of_the_asked_length(batches, config):
    first = next(batches(config).train(0))
    assert first.shape == (config.batch_size, config.clip_length, SIDE, SIDE, 3)
    assert first.dtype == torch.uint8


@MODES
@pytest.mark.parametrize("workers", [1, 2])
def test_the_test_clips_come_once_and_serve_nothing_else(batches, config, workers):
    config = config.model_copy(update={"test_fraction": 0.2, "gap": 0.0})
    shares = [batches(config, rank, workers) for rank in range(workers)]
    tested = [frame for share in shares for clips in share.test() for frame in seen(clips)]
    of_training = list(islice(shares[0].train(0), 200))
    others = {frame for clips in (*shares[0].validation(), *of_training) for frame in seen(clips)}
    assert tested
    assert len(tested) == len(set(tested))
    assert not others & set(tested)


def test_without_a_test_split_there_are_no_test_clips(batches):
    assert list(batches(PLAIN).test()) == []


@MODES
@pytest.mark.parametrize("workers", [1, 3])
def test_validation_is_every_clip_once_and_the_same_every_time(batches, config, workers):
    shares = [batches(config, rank, workers).validation() for rank in range(workers)]
    frames = [frame for share in shares for clips in share for frame in seen(clips)]
    again = [frame for clips in batches(config, seed=9).validation() for frame in seen(clips)]
    assert frames == again
    assert len(frames) == len(set(frames))


def test_validation_takes_every_image_not_trained_on_by_itself(batches):
    of = batches(IMAGES)
    valid = [frame for clips in of.validation() for frame in seen(clips)]
    assert {clips.shape[1] for clips in of.validation()} == {1}
    assert len(valid) == 28  # a fifth of 139
    images = 139 - len(valid)
    trained = {frame for clips in islice(of.train(0), images // 12 + 1) for frame in seen(clips)}
    assert len(trained) == images
    assert not trained & set(valid)
    assert of.preview(5).shape == (5, 1, SIDE, SIDE, 3)


def test_every_image_once_an_epoch_in_other_company_each_time(batches):
    """111 images train: 37 clips of 3 an epoch."""
    stream = (clip for clips in batches(IMAGES).train(0) for clip in clips)
    epochs = [[seen(clip[None]) for clip in islice(stream, 37)] for _ in range(2)]
    for epoch in epochs:
        assert len({frame for clip in epoch for frame in clip}) == 111
    companies = [{frozenset(clip) for clip in epoch} for epoch in epochs]
    assert len(companies[0] & companies[1]) < 3


def test_clips_start_elsewhere_in_every_epoch_and_their_frames_follow(batches):
    count = len(batches(RANDOM).train_clips)
    stream = (seen(clip[None]) for clips in batches(RANDOM).train(0) for clip in clips)
    epochs = [list(islice(stream, count)) for _ in range(12)]
    for clip in (clip for epoch in epochs for clip in epoch):
        (source, first), *_ = clip
        assert clip == [(source, first + 2 * t) for t in range(4)]
    starts = [sorted(clip[0] for clip in epoch) for epoch in epochs]
    assert len({tuple(s) for s in starts}) == 12
    of_source = [[sum(s == red for s, _ in epoch) for red in range(3)] for epoch in starts]
    assert of_source == [of_source[0]] * 12
    assert len({first for epoch in starts for s, first in epoch if s == 2}) > 30


@pytest.mark.gpu
@pytest.mark.parametrize("prefetch", [0, 2])
def test_batches_for_a_gpu_lie_in_pinned_memory(batches, prefetch):
    plain, pinned = (batches(PLAIN.model_copy(update={"prefetch": prefetch})) for _ in range(2))
    pinned.pinned = True
    for expected, clips in zip(plain.validation(), pinned.validation(), strict=True):
        assert clips.is_pinned()
        assert torch.equal(clips.cuda().cpu(), expected)
    assert next(pinned.train(0)).is_pinned()
