"""Promises about samples: by (seed, epoch, clip) alone, exact resume, any workers, only from what trains."""

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raysweep.config import SweepConfig
from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.index.order import Visit
from raysweep.data.index.splits import stretches
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.colour import AS_FILMED
from raysweep.data.reading.reader import CENTER, ClipReader
from raysweep.data.reading.sampling import Sample, Sampler
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.data.storing.shards import read_shard, write_shard
from raysweep.errors import ConfigError
from raysweep.experiment.draws import check_space
from raysweep.schema import parse

SIZES = {"tall": (60, 21, 10), "wide": (70, 8, 13)}
"""Source -> frames, height and width as stored."""
SIDE = 8
COLOURS = {"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.2}
PLAIN = {"clip_length": 4, "batch_size": 4, "resolution": SIDE, "split": "time", "gap": 0.0}
WINDOWS = DataConfig(**PLAIN, crop="random")
ALL = DataConfig(
    **PLAIN, crop="random", random_start=True, augment={"flip": 0.5, "max_stride": 3, **COLOURS}
)
IMAGES = DataConfig(
    images=True, clip_length=3, batch_size=4, resolution=SIDE, augment={"flip": 0.5, **COLOURS}
)
MODES = pytest.mark.parametrize("config", [ALL, IMAGES], ids=["videos", "images"])
STARTS = DataConfig(**PLAIN, stride=2, random_start=True)
PLAIN_IMAGES = DataConfig(images=True, clip_length=3, batch_size=4, resolution=SIDE)
STREAMS = pytest.mark.parametrize(
    "config",
    [ALL, IMAGES, DataConfig(**PLAIN, stride=2), STARTS, PLAIN_IMAGES],
    ids=["varied", "varied images", "plain", "random starts", "images"],
)


def manifest_of(config, **cuts):
    records = [
        SourceRecord(name=name, split=None, source_bytes=1, frames=n, cuts=cuts.get(name, ()))
        for name, (n, _, _) in SIZES.items()
    ]
    return Manifest(source="x", settings=config.preprocessing, records=tuple(records))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A pixel says where it is and when: its row in red, its column in green, its frame in blue."""
    folder = tmp_path_factory.mktemp("shards")
    for name, (count, height, width) in SIZES.items():
        frame, row, column = np.mgrid[:count, :height, :width]
        frames_THWC = np.stack([row, column, frame], -1).astype(np.uint8)
        write_shard(folder / name, name, frames_THWC, Preprocessing())
    return ClipReader([read_shard(folder / name) for name in SIZES], SIDE)


@pytest.fixture
def batches(reader):
    def of(config, rank=0, workers=1, seed=1):
        return Batches(reader, manifest_of(config), config, seed=seed, rank=rank, workers=workers)

    return of


def sampler(config, seed=1, **cuts):
    manifest = manifest_of(config, **cuts)
    return Sampler(index_clips(manifest, "train", config), manifest, config, seed)


def of_epochs(config, epochs, clip=0):
    drawn = sampler(config)
    return [drawn.sample(Visit(epoch, clip)) for epoch in range(epochs)]


def test_by_default_a_clip_is_shown_as_it_lies():
    config = DataConfig(**PLAIN)
    clips = index_clips(manifest_of(config), "train", config)
    shown = [sampler(config).sample(Visit(3, at)) for at in range(len(clips))]
    assert shown == [Sample(clip) for clip in clips]


@MODES
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_sample_is_a_function_of_seed_epoch_and_clip(config, seed, epoch, clip):
    visit = Visit(epoch, clip)
    sample = sampler(config, seed).sample(visit)
    assert sampler(config, seed).sample(visit) == sample
    others = [Visit(epoch + 1, clip), Visit(epoch, clip + 1)]
    varied = [
        sampler(config, seed + 1).sample(visit),
        *(sampler(config, seed).sample(v) for v in others),
    ]
    assert all(other.colour != sample.colour for other in varied)


@pytest.mark.parametrize("name", ["flip", *COLOURS])
def test_one_setting_leaves_the_others_draws_as_they_are(name):
    augment = {"flip": 0.5, **COLOURS}
    without = DataConfig(**PLAIN, augment={**augment, name: 0})
    for all_on, all_but_one in zip(
        of_epochs(DataConfig(**PLAIN, augment=augment), 9), of_epochs(without, 9), strict=True
    ):
        for on, off, plain in zip(
            (all_on.view.mirrored, *all_on.colour),
            (all_but_one.view.mirrored, *all_but_one.colour),
            (CENTER.mirrored, *AS_FILMED),
            strict=True,
        ):
            assert off in (on, plain)


@STREAMS
def test_going_on_at_a_step_is_never_having_stopped(batches, config):
    whole = list(islice(batches(config).train(0), 40))
    rest = list(islice(batches(config).train(17), 23))
    assert all(map(torch.equal, rest, whole[17:]))


@STREAMS
@pytest.mark.parametrize("workers", [2, 4])
def test_the_workers_shares_are_the_batch(batches, config, workers):
    streams = [batches(config, rank, workers).train(0) for rank in range(workers)]
    for whole in islice(batches(config).train(0), 30):
        assert torch.equal(torch.cat([next(stream) for stream in streams]), whole)


@MODES
def test_no_other_random_numbers_are_touched(batches, config):
    np_before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    list(islice(batches(config).train(0), 3))
    assert np.array_equal(np.random.get_state()[1], np_before)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


@MODES
def test_validation_is_never_varied(batches, config):
    plain = config.model_copy(update={"augment": DataConfig().augment})
    for ours, theirs in zip(batches(config).validation(), batches(plain).validation(), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(batches(config).preview(), batches(plain).preview())


@pytest.mark.parametrize(("flip", "least", "most"), [(0, 0, 0), (0.5, 70, 130), (1, 200, 200)])
def test_flip_is_a_probability(flip, least, most):
    config = DataConfig(**PLAIN, augment={"flip": flip})
    mirrored = sum(sample.view.mirrored for sample in of_epochs(config, 200))
    assert least <= mirrored <= most


def test_a_flip_mirrors_left_to_right(batches):
    flipped = next(batches(DataConfig(**PLAIN, augment={"flip": 1})).train(0))
    assert torch.equal(flipped.flip(3), next(batches(DataConfig(**PLAIN)).train(0)))


@pytest.mark.parametrize("name", SIZES)
def test_windows_cover_the_whole_frame_and_stand_still_within_a_clip(batches, name):
    _, height, width = SIZES[name]
    clips = (clip for batch in batches(WINDOWS).train(0) for clip in batch)
    corners = set()
    for clip_THWC in islice(clips, 2500):
        top, left, frame = clip_THWC[0, 0, 0].tolist()
        row, column = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
        for later, frame_HWC in enumerate(clip_THWC):
            assert torch.equal(frame_HWC[..., 0], top + row)
            assert torch.equal(frame_HWC[..., 1], left + column)
            assert frame_HWC[0, 0, 2] == frame + later
        corners.add((top, left))
    reachable = {(y, x) for y in range(height - SIDE + 1) for x in range(width - SIDE + 1)}
    assert corners >= reachable


@given(
    length=st.integers(1, 6),
    stride=st.integers(1, 3),
    more=st.integers(0, 4),
    random_start=st.booleans(),
    cuts=st.lists(st.integers(1, 59), unique=True, max_size=6).map(sorted),
    avoid_cuts=st.booleans(),
    epoch=st.integers(0, 99),
)
def test_a_drawn_stride_stays_in_its_split_and_scene(
    length, stride, more, random_start, cuts, avoid_cuts, epoch
):
    config = DataConfig(
        **{**PLAIN, "clip_length": length},
        stride=stride,
        random_start=random_start,
        avoid_cuts=avoid_cuts,
        augment={"max_stride": stride + more},
    )
    manifest = manifest_of(config, tall=tuple(cuts))
    whole = [set(range(s.start, s.end)) for s in stretches(manifest, "train", config)]
    drawn = sampler(config, tall=tuple(cuts))
    for at in range(len(index_clips(manifest, "train", config))):
        clip = drawn.sample(Visit(epoch, at)).clip
        assert stride <= clip.stride <= stride + more
        frames = {clip.first_frame + i * clip.stride for i in range(clip.length)}
        assert any(frames <= stretch for stretch in whole)


def test_every_stride_that_fits_is_as_likely():
    config = DataConfig(**PLAIN, stride=2, augment={"max_stride": 5})
    strides = [sample.clip.stride for sample in of_epochs(config, 400)]
    assert all(70 < strides.count(stride) < 130 for stride in (2, 3, 4, 5))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stride": 3, "augment": {"max_stride": 2}}, "at least data.stride 3, got 2"),
        ({"images": True, "augment": {"max_stride": 2}}, "data.augment.max_stride"),
        ({"augment": {"flip": 1.5}}, "flip"),
        ({"augment": {"brightness": 1}}, "brightness"),
        ({"augment": {"hue": 0.6}}, "hue"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        parse(DataConfig, settings)


def suggests_augmentation(trial):
    trial.suggest_float("data.augment.flip", 0.0, 0.5)
    trial.suggest_float("data.augment.hue", 0.0, 0.1)


def test_a_space_may_search_augmentation():
    draws = check_space(SweepConfig(name="x"), suggests_augmentation, samples=5)
    assert all(draw.config.data.augment.flip == draw.params["data.augment.flip"] for draw in draws)
