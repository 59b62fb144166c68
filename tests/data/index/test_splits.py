"""Promises about splits: none shares a frame or comes near another, whatever the footage and the settings."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, index_clips, training_starts
from raysweep.data.index.order import Visit, random_start
from raysweep.data.index.splits import span, split_rule, stretches
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.errors import DataError

SPLITS = ("train", "valid", "test")


@st.composite
def videos(draw):
    """A store of them."""
    records = []
    for number in range(draw(st.integers(1, 4))):
        frames = draw(st.integers(1, 200))
        cuts = draw(st.sets(st.integers(1, 200), max_size=4))
        records.append(
            SourceRecord(
                name=f"{number}.mp4",
                split=None,
                source_bytes=1,
                frames=frames,
                fps=draw(st.sampled_from([None, 3.0, 23.976])),
                cuts=tuple(sorted(cut for cut in cuts if cut < frames)),
            )
        )
    return Manifest(source="videos", settings=Preprocessing(), records=tuple(records))


configs = st.builds(
    DataConfig,
    split=st.sampled_from(["time", "source", "none"]),
    clip_length=st.integers(1, 9),
    stride=st.integers(1, 4),
    valid_fraction=st.floats(0.01, 0.5),
    test_fraction=st.sampled_from([0.0, 0.01, 0.4]),
    gap=st.sampled_from([0.0, 1.0, 2.5]),
    avoid_cuts=st.booleans(),
    max_clips_per_source=st.none() | st.integers(1, 5),
    max_validation_frames=st.none() | st.integers(1, 50),
    random_start=st.just(True),
)


def clips_of(manifest, config):
    """By split; of none that is refused."""
    found = {}
    for split in SPLITS:
        try:
            found[split] = index_clips(manifest, split, config)
        except DataError:
            found[split] = []
    return found


def frames_of(clip):
    return [clip.first_frame + i * clip.stride for i in range(clip.length)]


def started(manifest, config):
    """Every clip that training may read where starts are random."""
    return [
        Clip(source, int(first), config.stride, config.clip_length)
        for source, starts in training_starts(manifest, config).items()
        for first in starts
    ]


@given(videos(), configs)
def test_what_is_read_stays_in_its_source_and_its_scene(manifest, config):
    of = clips_of(manifest, config)
    records = {record.name: record for record in manifest.records}
    for clip in [*of["train"], *of["valid"], *of["test"], *started(manifest, config)]:
        first, *_, last = frames_of(clip) * 2
        assert 0 <= first <= last < records[clip.source].frames
        if config.avoid_cuts:
            assert not any(first < cut <= last for cut in records[clip.source].cuts)


@given(videos(), configs)
def test_splits_are_apart_by_the_gap_and_a_clip(manifest, config):
    of = clips_of(manifest, config) | {"train": started(manifest, config)}
    for record in manifest.records:
        owners = {
            frame: split
            for split, clips in of.items()
            for clip in clips
            if clip.source == record.name
            for frame in frames_of(clip)
        }
        gap = max(span(config), config.gap * (record.fps or 0))
        for (one, split), (other, following) in pairwise(sorted(owners.items())):
            assert split == following or other - one > gap


@given(videos(), configs)
def test_clips_of_a_split_do_not_overlap(manifest, config):
    for clips in clips_of(manifest, config).values():
        for one, other in pairwise(clips):
            assert one.source < other.source or frames_of(one)[-1] < other.first_frame


@given(videos(), configs)
def test_training_clips_are_among_the_starts(manifest, config):
    starts = training_starts(manifest, config)
    for number, clip in enumerate(clips_of(manifest, config)["train"]):
        assert clip.first_frame in starts[clip.source]
        assert random_start(Visit(0, number), starts[clip.source], seed=1) in starts[clip.source]


@given(videos(), configs, st.integers(1, 5))
def test_a_source_gives_so_many_training_clips_at_most_all_over_its_time(manifest, config, most):
    free = config.model_copy(update={"max_clips_per_source": None})
    limited = config.model_copy(update={"max_clips_per_source": most})
    every, some = clips_of(manifest, free), clips_of(manifest, limited)
    for record in manifest.records:
        there, taken = (
            [clip for clip in of["train"] if clip.source == record.name] for of in (every, some)
        )
        assert len(taken) == min(most, len(there))
        assert set(taken) <= set(there)
        steps = np.diff([there.index(clip) for clip in taken])
        assert not len(steps) or max(steps) - min(steps) <= 1
    assert (every["valid"], every["test"]) == (some["valid"], some["test"])


@given(videos(), configs)
def test_what_validates_does_not_depend_on_a_test_split(manifest, config):
    without = config.model_copy(update={"test_fraction": 0.0})
    assert clips_of(manifest, config)["valid"] == clips_of(manifest, without)["valid"]
    assert clips_of(manifest, without)["test"] == []


@given(videos(), configs)
def test_by_time_every_source_of_a_clip_trains_and_a_split_has_its_share(manifest, config):
    config = config.model_copy(update={"split": "time", "avoid_cuts": False})
    of = {split: {s.source: s for s in stretches(manifest, split, config)} for split in SPLITS}
    shares = {"valid": config.valid_fraction, "test": config.test_fraction}
    for record in manifest.records:
        sizes = {split: of[split][record.name].end - of[split][record.name].start for split in of}
        assert sizes["train"] >= min(span(config), record.frames)
        for split, share in shares.items():
            assert sizes[split] == 0 or sizes[split] >= span(config)
            assert sizes[split] <= max(span(config), share * record.frames + 1)
        assert sizes["valid"] or not sizes["test"]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.floats(0.01, 0.6))
def test_images_test_apart_from_what_validates(counts, fraction):
    records = [
        SourceRecord(name=f"images-{i}", split=None, source_bytes=1, frames=count)
        for i, count in enumerate(counts)
    ]
    manifest = Manifest(source="images", settings=Preprocessing(), records=tuple(records))
    config = DataConfig(images=True, valid_fraction=0.2, test_fraction=fraction)
    without = DataConfig(images=True, valid_fraction=0.2)
    of = clips_of(manifest, config)
    assert of["valid"] == clips_of(manifest, without)["valid"]
    everything = [clip for split in SPLITS for clip in of[split]]
    assert len(set(everything)) == len(everything)
    if of["train"]:
        assert len(everything) == sum(counts)


def sources(count, frames=40, split=None):
    records = (
        SourceRecord(name=f"{i:02}.mp4", split=split, source_bytes=1, frames=frames)
        for i in range(count)
    )
    return Manifest(source="videos", settings=Preprocessing(), records=tuple(records))


@pytest.mark.parametrize(
    ("count", "valid", "test", "sizes"),
    [(10, 0.1, 0.1, (8, 1, 1)), (12, 0.25, 0.5, (3, 3, 6)), (3, 0.01, 0.9, (1, 1, 1))],
)
def test_whole_sources_validate_and_test(count, valid, test, sizes):
    config = DataConfig(split="source", valid_fraction=valid, test_fraction=test)
    of = [{c.source for c in index_clips(sources(count), s, config)} for s in SPLITS]
    assert tuple(map(len, of)) == sizes
    assert len(set.union(*of)) == count


def test_time_validates_the_end_and_tests_before_it():
    config = DataConfig(split="time", valid_fraction=0.2, test_fraction=0.1, clip_length=5, gap=0)
    of = {split: list(stretches(sources(1, 100), split, config)) for split in SPLITS}
    assert of == {
        "train": [("00.mp4", 0, 60)],
        "test": [("00.mp4", 65, 75)],
        "valid": [("00.mp4", 80, 100)],
    }


def test_a_gap_is_in_seconds_of_the_frames_that_are_stored():
    (record,) = sources(1, 1000).records
    filmed = Manifest(
        source="x",
        settings=Preprocessing(),
        records=(record.model_copy(update={"fps": 30.0}),),
    )
    for resampled, train_end in ((None, 840), (5.0, 890)):
        config = DataConfig(split="time", gap=2, fps=resampled)
        assert next(stretches(filmed, "train", config)).end == train_end


@pytest.mark.parametrize(
    ("manifest", "split"),
    [(sources(2), "source"), (sources(2), "none"), (sources(2, 20), "time")],
    ids=["source", "none", "time"],
)
def test_a_test_split_that_was_asked_for_and_is_empty_is_refused(manifest, split):
    config = DataConfig(split=split, test_fraction=0.1)
    assert split_rule(manifest, config) == split
    with pytest.raises(DataError, match=rf"'{split}' must leave test clips .* data.test_fraction"):
        index_clips(manifest, "test", config)


def test_scenes_shorter_than_a_clip_are_named_as_the_reason():
    (record,) = sources(1, 40).records
    short = record.model_copy(update={"cuts": tuple(range(0, 40, 5))})
    manifest = Manifest(source="x", settings=Preprocessing(), records=(short,))
    with pytest.raises(DataError, match=r"set data.avoid_cuts to false"):
        index_clips(manifest, "train", DataConfig(split="time", avoid_cuts=True))
