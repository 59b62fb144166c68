"""Which clips `Batches` gives out, by what a reader is asked for: each once an epoch, whoever asks and when."""

from collections import Counter
from itertools import islice
from typing import NamedTuple

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, index_clips
from raysweep.data.index.order import epoch_order
from raysweep.data.reading.batches import Batches
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.errors import DataError


class Identities:
    """A reader whose frames are one pixel: the source, and the frame's number in two bytes."""

    def read_batch(self, clips, views=None):
        batch_BTHWC = np.empty((len(clips), clips[0].length, 1, 1, 3), np.uint8)
        for clip, frames_THWC in zip(clips, batch_BTHWC, strict=True):
            for frame, pixel in zip(_frames(clip), frames_THWC[:, 0, 0], strict=True):
                pixel[:] = (int(clip.source), *divmod(frame, 256))
        return batch_BTHWC


def _frames(clip):
    return [clip.first_frame + i * clip.stride for i in range(clip.length)]


def identity(clip):
    """As `seen` tells a clip."""
    return tuple((int(clip.source), frame) for frame in _frames(clip))


def seen(clips_BTHWC):
    """Each clip as its frames, (source, frame)."""
    pixels_BTC = clips_BTHWC[:, :, 0, 0].long()
    frames_BT = pixels_BTC[..., 1] * 256 + pixels_BTC[..., 2]
    return [
        tuple(zip(sources, frames, strict=True))
        for sources, frames in zip(pixels_BTC[..., 0].tolist(), frames_BT.tolist(), strict=True)
    ]


class Case(NamedTuple):
    manifest: Manifest
    config: DataConfig
    seed: int
    workers: int
    epochs: int

    def batches(self, rank=0, workers=1, seed=None):
        given_seed = self.seed if seed is None else seed
        return Batches(
            Identities(), self.manifest, self.config, seed=given_seed, rank=rank, workers=workers
        )

    @property
    def steps(self):
        """Of `epochs` epochs, the last step begun counted."""
        of = self.batches()
        return -(-len(of.train_clips) * self.epochs // of.config.clips_per_step)

    def stream(self, start=0):
        """What training sees at each step from `start` on."""
        return [seen(clips) for clips in islice(self.batches().train(start), self.steps - start)]


@st.composite
def cases(draw):
    images, workers = draw(st.booleans()), draw(st.integers(1, 5))
    frames = draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    records = tuple(
        SourceRecord(name=str(i), split=None, source_bytes=1, frames=count, cuts=(count // 3,))
        for i, count in enumerate(frames)
    )
    for_videos = {
        "split": st.sampled_from(["time", "source"]),
        "stride": st.integers(1, 3),
        "random_start": st.booleans(),
        "avoid_cuts": st.booleans(),
    }
    chosen = {} if images else {name: draw(values) for name, values in for_videos.items()}
    config = DataConfig(
        images=images,
        clip_length=draw(st.integers(1, 4)),
        batch_size=workers * draw(st.integers(1, 4)),
        prefetch=draw(st.sampled_from([0, 2])),
        max_clips_per_source=draw(st.none() | st.integers(1, 9)),
        max_validation_frames=draw(st.none() | st.integers(1, 30)),
        valid_fraction=draw(st.floats(0.05, 0.6)),
        **chosen,
    )
    manifest = Manifest(source="x", settings=config.preprocessing, records=records)
    try:
        for split in ("train", "valid"):
            index_clips(manifest, split, config)
    except DataError:
        assume(False)
    return Case(manifest, config, draw(st.integers(0, 2**40)), workers, draw(st.integers(1, 3)))


@given(cases())
def test_training_is_every_clip_once_an_epoch(case):
    index = case.batches().train_clips
    given_out = [clip for batch in case.stream() for clip in batch]
    if case.config.images:
        given_out = [(image,) for clip in given_out for image in clip]
    for epoch in range(case.epochs):
        of_epoch = given_out[epoch * len(index) : (epoch + 1) * len(index)]
        assert len(of_epoch) == len(index)
        if case.config.random_start:
            assert Counter(clip[0][0] for clip in of_epoch) == Counter(
                int(clip.source) for clip in index
            )
        else:
            assert sorted(of_epoch) == sorted(map(identity, index))


@given(cases())
def test_the_workers_shares_are_the_batch_in_its_order(case):
    streams = [case.batches(rank, case.workers).train(0) for rank in range(case.workers)]
    for whole in case.stream():
        shares = [seen(next(stream)) for stream in streams]
        assert {len(share) for share in shares} == {case.config.batch_size // case.workers}
        assert [clip for share in shares for clip in share] == whole


@given(cases(), st.data())
def test_going_on_at_any_step_is_never_having_stopped(case, data):
    step = data.draw(st.integers(0, case.steps))
    whole = case.stream()
    epoch_order.cache_clear()
    assert case.stream(step) == whole[step:]


@given(cases())
def test_validation_is_every_clip_once_for_any_number_of_workers(case):
    shares = [
        [clip for clips in case.batches(rank, case.workers).validation() for clip in seen(clips)]
        for rank in range(case.workers)
    ]
    index = list(map(identity, case.batches().valid_clips))
    assert [clip for share in shares for clip in share] == index
    assert len(set(index)) == len(index)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    other_seed = case.batches(seed=case.seed + 1).validation()
    assert [clip for clips in other_seed for clip in seen(clips)] == index


@given(cases())
def test_what_trains_and_what_validates_are_apart(case):
    trained = {frame for batch in case.stream() for clip in batch for frame in clip}
    assert not trained & {f for clip in case.batches().valid_clips for f in identity(clip)}


def test_another_seed_is_another_order():
    record = SourceRecord(name="0", split=None, source_bytes=1, frames=400)
    config = DataConfig(clip_length=2, split="time")
    manifest = Manifest(source="x", settings=config.preprocessing, records=(record,))
    one, other = (Case(manifest, config, seed, 1, 2).stream() for seed in (1, 2))
    assert one != other
    assert one[: len(one) // 2] != one[len(one) // 2 :]
    assert sorted(one[0]) != one[0] or sorted(one[1]) != one[1]


def test_the_reader_tells_clips_apart():
    clip = Clip("3", 250, 5, 3)
    (told,) = Identities().read_batch([clip])
    assert told[:, 0, 0].tolist() == [[3, 0, 250], [3, 0, 255], [3, 1, 4]]
