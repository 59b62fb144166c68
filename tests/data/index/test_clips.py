"""Promises about clips: none overlap, no validation frame near training, read exactly as stored."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, Starts, index_clips, training_starts
from raysweep.data.index.splits import split_rule
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.reading.reader import ClipReader
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.data.storing.shards import read_shard, write_shard
from raysweep.errors import DataError

SIDE = 2


def record(name, frames=40, split=None, error=None):
    return SourceRecord(name=name, split=split, source_bytes=1, frames=frames, error=error)


def manifest_of(*records):
    return Manifest(source="videos", settings=Preprocessing(), records=records)


def sources(count, frames=40):
    return manifest_of(*(record(f"{i:02}.mp4", frames) for i in range(count)))


BROKEN_VALIDATION = (
    record("train/a", split="train"),
    record("val/b", 0, split="valid", error="empty"),
)


def covered(clips):
    return {(c.source, c.first_frame + i * c.stride) for c in clips for i in range(c.length)}


lengths = st.integers(1, 9)
strides = st.integers(1, 4)


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=5), lengths, strides, st.floats(0.01, 0.99)
)
def test_no_valid_frame_is_near_a_train_frame(frames, length, stride, fraction):
    manifest = manifest_of(*(record(str(i), count) for i, count in enumerate(frames)))
    config = DataConfig(clip_length=length, stride=stride, split="time", valid_fraction=fraction)
    try:
        train, valid = (index_clips(manifest, split, config) for split in ("train", "valid"))
    except DataError:
        return
    span = (length - 1) * stride + 1
    for source in {clip.source for clip in valid}:
        last_train = max((f for s, f in covered(train) if s == source), default=-span - 1)
        assert min(f for s, f in covered(valid) if s == source) - last_train > span
    assert max(f for s, f in covered(train + valid)) < max(frames)


@given(lengths, strides, st.integers(33, 100))  # 33: the longest span
def test_clips_do_not_overlap_and_stay_inside(length, stride, frames):
    config = DataConfig(clip_length=length, stride=stride, split="source", valid_fraction=0.5)
    for split in ("train", "valid"):
        clips = index_clips(sources(2, frames), split, config)
        span = (length - 1) * stride + 1
        assert [clip.first_frame for clip in clips] == list(range(0, frames - span + 1, span))


@pytest.mark.parametrize(
    ("manifest", "split", "rule"),
    [
        (
            manifest_of(record("train/a", split="train"), record("val/b", split="valid")),
            "auto",
            "folders",
        ),
        (manifest_of(*BROKEN_VALIDATION), "auto", "folders"),
        (sources(9), "auto", "time"),
        (sources(10), "auto", "source"),
        (manifest_of(*sources(9).records, record("bad", error="empty")), "auto", "time"),
        (sources(1), "source", "source"),
    ],
)
def test_split_rule(manifest, split, rule):
    assert split_rule(manifest, DataConfig(split=split)) == rule


def test_folders():
    manifest = manifest_of(
        record("train/a", split="train"), record("val/b", split="valid"), record("c", split=None)
    )
    of = {s: index_clips(manifest, s, DataConfig()) for s in ("train", "valid")}
    assert {clip.source for clip in of["train"]} == {"train/a"}
    assert {clip.source for clip in of["valid"]} == {"val/b"}


@pytest.mark.parametrize(
    ("count", "fraction", "valid"),
    [(2, 0.01, 1), (2, 0.99, 1), (10, 0.1, 1), (10, 0.11, 2), (11, 0.5, 6)],
)
def test_whole_sources(count, fraction, valid):
    config = DataConfig(split="source", valid_fraction=fraction)
    of = [{c.source for c in index_clips(sources(count), s, config)} for s in ("train", "valid")]
    assert len(of[1]) == valid
    assert len(of[0] | of[1]) == count
    assert not of[0] & of[1]


def test_whole_sources_do_not_depend_on_clip_length():
    def valid(length):
        config = DataConfig(split="source", valid_fraction=0.3, clip_length=length)
        return {clip.source for clip in index_clips(sources(12), "valid", config)}

    assert valid(1) == valid(16)


def test_time_validates_the_end():
    config = DataConfig(split="time", valid_fraction=0.2, clip_length=5)
    assert [c.first_frame for c in index_clips(sources(1, 100), "valid", config)] == [
        80,
        85,
        90,
        95,
    ]
    assert [c.first_frame for c in index_clips(sources(1, 100), "train", config)][-1] == 70


def test_time_gives_a_short_source_one_validation_clip_and_a_shorter_one_none():
    config = DataConfig(split="time", clip_length=8)
    manifest = manifest_of(record("long", 24), record("short", 23))
    assert index_clips(manifest, "valid", config) == [Clip("long", 16, 1, 8)]
    assert index_clips(manifest, "train", config) == [
        Clip("long", 0, 1, 8),
        Clip("short", 0, 1, 8),
        Clip("short", 8, 1, 8),
    ]


@pytest.mark.parametrize(("limit", "clips"), [(1, 1), (16, 2), (23, 2), (24, 3), (10_000, 10)])
def test_validation_is_limited_to_whole_clips(limit, clips):
    config = DataConfig(split="source", valid_fraction=0.5, max_validation_frames=limit)
    assert len(index_clips(sources(4), "valid", config)) == clips
    assert len(index_clips(sources(4), "train", config)) == 10


def test_a_limited_validation_sees_every_source_and_all_of_its_time():
    clips = index_clips(sources(4), "valid", DataConfig(split="source", valid_fraction=0.5))
    limit = DataConfig(split="source", valid_fraction=0.5, max_validation_frames=5 * 8)
    assert index_clips(sources(4), "valid", limit) == clips[::2]


@pytest.mark.parametrize(
    ("manifest", "split", "rule"),
    [
        (sources(3, 10), "valid", "time"),
        (sources(1), "valid", "source"),
        (sources(3), "train", "folders"),
        (sources(20, 7), "train", "source"),
        (manifest_of(*BROKEN_VALIDATION), "valid", "folders"),
    ],
)
def test_an_empty_split_is_refused(manifest, split, rule):
    with pytest.raises(DataError, match=rf"'{rule}' must leave {split} clips .* Lower data.clip"):
        index_clips(manifest, split, DataConfig(split=rule))


def test_folders_without_one_for_the_test_are_told_what_would_help():
    with pytest.raises(DataError, match=r"a folder test/.* Add one, or set data.split to source"):
        index_clips(sources(3), "test", DataConfig(split="folders", test_fraction=0.1))


def test_images_are_not_advised_of_clips():
    with pytest.raises(DataError, match=r"must leave train images, got none out of 1\.") as told:
        index_clips(manifest_of(record("images-0", 1)), "train", DataConfig(images=True))
    assert "data.clip_length" not in str(told.value)


def test_all_train_and_none_validates():
    config = DataConfig(split="none", clip_length=8)
    assert len(index_clips(sources(2), "train", config)) == 10
    assert index_clips(sources(2), "valid", config) == []


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.floats(0.01, 0.99), lengths)
def test_every_image_is_a_clip_of_one_split(counts, fraction, length):
    records = [
        record(f"images-{i}", count, error="x" if not count else None)
        for i, count in enumerate(counts)
    ]
    manifest = manifest_of(*records)
    config = DataConfig(images=True, valid_fraction=fraction, clip_length=length)
    images = sum(counts)
    valid_images = math.ceil(fraction * images)
    if valid_images == images:
        return
    train, valid = (index_clips(manifest, split, config) for split in ("train", "valid"))
    assert (len(train), len(valid)) == (images - valid_images, valid_images)
    assert {(clip.stride, clip.length) for clip in train + valid} == {(1, 1)}
    everything = {(r.name, i) for r in manifest.good for i in range(r.frames)}
    assert covered(train) | covered(valid) == everything
    assert not covered(train) & covered(valid)


def test_images_in_folders_split_as_their_folders():
    manifest = manifest_of(record("train-0", 3, "train"), record("valid-0", 2, "valid"))
    config = DataConfig(images=True)
    assert covered(index_clips(manifest, "train", config)) == {("train-0", i) for i in range(3)}
    assert covered(index_clips(manifest, "valid", config)) == {("valid-0", i) for i in range(2)}


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=4),
    lengths,
    strides,
    st.sampled_from(["time", "none"]),
)
def test_a_random_start_stays_where_training_clips_are(frames, length, stride, split):
    manifest = manifest_of(*(record(str(i), count) for i, count in enumerate(frames)))
    config = DataConfig(clip_length=length, stride=stride, split=split, random_start=True)
    span = (length - 1) * stride + 1
    try:
        clips, valid = (index_clips(manifest, which, config) for which in ("train", "valid"))
    except DataError:
        return
    starts = training_starts(manifest, config)
    for clip in clips:
        assert clip.first_frame in starts[clip.source]
        first_valid = min((f for s, f in covered(valid) if s == clip.source), default=10**9)
        last = starts[clip.source][-1] + span - 1
        assert last < frames[int(clip.source)]
        assert first_valid - last > (span if first_valid < 10**9 else 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60)), max_size=5))
def test_starts_are_their_ranges_one_after_the_other(bounds):
    ranges = [range(start, end) for start, end in bounds]
    whole, starts = [frame for frames in ranges for frame in frames], Starts(ranges)
    assert (len(starts), list(starts)) == (len(whole), whole)
    assert [starts[at] for at in range(-len(whole), 0)] == whole


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    frames = np.random.default_rng(0).integers(0, 256, (2, 200, SIDE, SIDE, 3), dtype=np.uint8)
    for name, frames_THWC in zip("ab", frames, strict=True):
        write_shard(folder / name, name, frames_THWC, Preprocessing())
    return dict(zip("ab", frames, strict=True)), [read_shard(folder / name) for name in "ab"]


@given(
    source=st.sampled_from("ab"),
    first=st.integers(0, 150),
    stride=st.integers(1, 40),
    data=st.data(),
)
def test_a_clip_reads_as_stored(stored, source, first, stride, data):
    frames, tables = stored
    length = data.draw(st.integers(1, (199 - first) // stride + 1))
    clip = Clip(source, first, stride, length)
    expected = frames[source][first::stride][:length]
    assert np.array_equal(ClipReader(tables, SIDE).read_batch([clip])[0], expected)


def test_a_batch_reads_as_its_clips(stored):
    frames, tables = stored
    batch = ClipReader(tables, SIDE).read_batch([Clip("b", 30, 2, 4), Clip("a", 0, 1, 4)])
    assert batch.shape == (2, 4, SIDE, SIDE, 3)
    assert np.array_equal(batch[0], frames["b"][30:38:2])
    assert np.array_equal(batch[1], frames["a"][:4])
    assert batch.flags.writeable
    assert batch.flags.c_contiguous


@pytest.mark.parametrize("rearrange", [lambda t: t[::-1], lambda t: [pa.concat_tables(t).slice(3)]])
def test_tables_may_come_in_any_order_and_sliced(stored, rearrange):
    frames, tables = stored
    reader = ClipReader(rearrange(tables), SIDE)
    assert np.array_equal(reader.read_batch([Clip("b", 90, 1, 20)])[0], frames["b"][90:110])


def test_the_reader_views_and_does_not_copy(stored):
    before = pa.total_allocated_bytes()
    reader = ClipReader(stored[1], SIDE)
    assert pa.total_allocated_bytes() == before
    assert not any(segment.data.flags.owndata for segment in reader._segments["a"])


def test_another_resolution_is_refused(stored):
    with pytest.raises(DataError, match=r"data.resolution 7, got 2x2 pixels"):
        ClipReader(stored[1], 7)
