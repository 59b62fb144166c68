"""Promises about all ways of reading: the same batches bit for bit, from any step on, and no more files open
than a machine allows."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import read_frames
from raysweep.data.index.clips import Clip
from raysweep.data.reading import direct, reader
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.counting import count
from raysweep.data.reading.direct import DirectReader, SoughtVideo
from raysweep.data.reading.reader import ClipReader, MappedReader, View
from raysweep.data.sources.discover import discover
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from tests.data.media import BROKEN, write_image, write_video
from tests.data.stores import read_shards

VIDEOS = DataConfig(resolution=16, clip_length=4, batch_size=3, split="time", gap=0)
CONFIGS = {
    "videos": VIDEOS,
    "random starts": VIDEOS.model_copy(update={"random_start": True, "stride": 2}),
    "random crops": VIDEOS.model_copy(update={"crop": "random", "shortest_side": 20}),
    "images": DataConfig(images=True, resolution=16, clip_length=3, batch_size=2),
}


@pytest.fixture(scope="module", params=CONFIGS)
def footage(request, tmp_path_factory):
    """The settings, the store, the manifests and readers of all ways."""
    folder, config = tmp_path_factory.mktemp("ways"), CONFIGS[request.param]
    for seed, name in enumerate(["a.mp4", "b b.avi", "c.mkv"]):
        write_video(folder / "all" / name, frames=60 + 30 * seed, seed=seed)
    for seed in range(20):
        write_image(folder / "all" / f"{seed}.png", seed=seed)
    (folder / "all" / "bad.mp4").write_bytes(BROKEN["text.mp4"])
    (folder / "all" / "bad.png").write_bytes(b"no image")
    prepared = prepare(folder / "all", folder / "store", config)
    sources = discover(folder / "all", images=config.images)
    counted, located = count(sources, "all", config, folder)
    readers = {
        "tables": (ClipReader(read_shards(folder / "store", prepared), 16), prepared),
        "files": (MappedReader(folder / "store", prepared), prepared),
        "direct": (DirectReader(located, counted), counted),
    }
    return config, readers


def batches(footage, way, prefetch=2):
    config, readers = footage
    return Batches(*readers[way], config.model_copy(update={"prefetch": prefetch}), seed=3)


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("way", ["files", "direct"])
def test_every_way_gives_the_same_batches_from_any_step_on(footage, way, prefetch):
    expected = list(islice(batches(footage, "tables", 0).train(0), 25))
    got = list(islice(batches(footage, way, prefetch).train(0), 25))
    later = list(islice(batches(footage, way, prefetch).train(11), 14))
    assert all(map(torch.equal, got, expected))
    assert all(map(torch.equal, later, expected[11:]))


@pytest.mark.parametrize("way", ["files", "direct"])
def test_every_way_validates_on_the_same_frames(footage, way):
    expected, got = (list(batches(footage, each).validation()) for each in ("tables", way))
    assert len(got) == len(expected) > 0
    assert all(map(torch.equal, got, expected))


def test_counting_finds_what_a_store_holds(footage):
    _, readers = footage
    stored, counted = readers["tables"][1], readers["direct"][1]
    of_a_store = {"shard", "sha256", "shard_bytes", "frame_bytes", "psnr", "cuts"}
    for ours, theirs in zip(counted.records, stored.records, strict=True):
        assert ours.model_dump(exclude=of_a_store) == theirs.model_dump(exclude=of_a_store)
    assert len({record.sha256 for record in counted.good}) == len(counted.good)


def test_a_view_of_whole_frames_is_the_same(footage):
    config, readers = footage
    if config.crop != "random":
        pytest.skip("of random crops")
    clips, views = [Clip("a.mp4", 5, 3, 4)] * 2, [View(0.9, 0.1, True), View(0, 1)]
    stored, sought = (readers[way][0].read_batch(clips, views) for way in ("tables", "direct"))
    assert np.array_equal(stored, sought)


def test_few_shards_are_mapped_and_few_videos_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAPPED_SHARDS", 2)
    monkeypatch.setattr(direct, "OPEN_VIDEOS", 2)
    for seed in range(6):
        write_video(tmp_path / "videos" / f"{seed}.mp4", frames=8, seed=seed)
    manifest = prepare(tmp_path / "videos", tmp_path / "store", VIDEOS)
    counted, located = count(discover(tmp_path / "videos"), "x", VIDEOS, tmp_path)
    clips = [Clip(f"{n}.mp4", 2, 1, 4) for n in (0, 1, 2, 3, 4, 5, 0)]
    expected = ClipReader(read_shards(tmp_path / "store", manifest), 16).read_batch(clips)
    mapped, sought = MappedReader(tmp_path / "store", manifest), DirectReader(located, counted)
    for way, lies_in in ((mapped, "store"), (sought, "videos")):
        assert np.array_equal(way.read_batch(clips), expected)
        assert _held(tmp_path / lies_in) <= 2


def _held(folder: Path) -> int:
    """Files in `folder` that this process has mapped or open."""
    mapped = Path("/proc/self/maps").read_text().count(f"{folder}/")
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return mapped + sum(str(link.readlink()).startswith(f"{folder}/") for link in links)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_any_frame_is_the_one_that_decoding_from_the_front_gives(tmp_path, suffix):
    path = write_video(tmp_path / f"v{suffix}", frames=150)
    expected = list(read_frames(path))
    (source,) = discover(path)
    _, located = count([source], "x", VIDEOS, tmp_path)
    for times in (located[source.name].times, np.zeros(150)):  # the latter tell nothing
        video = SoughtVideo(path, times)
        for frame in (149, 0, 70, 71, 75, 74, 140, 3):
            assert np.array_equal(video.read(frame), expected[frame])


@pytest.mark.parametrize("way", ["files", "direct"])
def test_footage_that_a_node_does_not_see_is_one_clear_error(tmp_path, way):
    write_video(tmp_path / "videos" / "a.mp4", frames=8)
    manifest = prepare(tmp_path / "videos", tmp_path / "store", VIDEOS)
    counted, located = count(discover(tmp_path / "videos"), "x", VIDEOS, tmp_path)
    (tmp_path / "videos").rename(tmp_path / "elsewhere")
    (tmp_path / "store").rename(tmp_path / "gone")
    opened = {
        "files": lambda: MappedReader(tmp_path / "store", manifest),
        "direct": lambda: DirectReader(located, counted).read_batch([Clip("a.mp4", 0, 1, 4)]),
    }
    with pytest.raises(DataError, match=r"needs every node to see the .* is not there\. Put it on"):
        opened[way]()


def test_counting_refuses_where_nothing_decodes(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(BROKEN["text.mp4"])
    with pytest.raises(DataError, match="needs a file that decodes, got 1"):
        count(discover(tmp_path), "x", VIDEOS, tmp_path)
