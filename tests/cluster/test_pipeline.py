import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from raysweep.cluster.footage import in_files, in_shared_memory, in_videos, placed
from raysweep.cluster.pipeline import on_all_nodes
from raysweep.data import DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.reading.counting import count_source
from raysweep.data.sources.discover import Source, discover
from raysweep.data.sources.places import File
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from tests.data.media import write_image

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def store(cluster: str, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("stores") / "by-ray"
    prepare(videos, folder, DataConfig(resolution=32), run=on_all_nodes)
    return folder


def test_decoding_on_all_nodes_makes_the_store_that_one_process_makes(
    store: Path, videos: Path, tmp_path: Path
) -> None:
    prepare(videos, tmp_path, DataConfig(resolution=32))
    ours, theirs = (json.loads((f / "manifest.json").read_text()) for f in (store, tmp_path))
    assert sorted(ours["records"], key=str) == sorted(theirs["records"], key=str)


def test_images_decoded_on_all_nodes_are_those_that_one_process_decodes(
    cluster: str, tmp_path: Path
) -> None:
    for number in range(5):
        write_image(tmp_path / "images" / f"{number}.png", seed=number)
    (tmp_path / "images" / "bad.jpg").write_text("no image")
    config = DataConfig(resolution=32, images=True)
    ours = prepare(tmp_path / "images", tmp_path / "ours", config)
    theirs = prepare(tmp_path / "images", tmp_path / "theirs", config, run=on_all_nodes)
    assert theirs == ours
    assert [skipped.name for skipped in theirs.skipped] == ["bad.jpg"]


def test_a_bad_video_among_good_ones_is_skipped_and_named(videos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    (folder / "train").mkdir(parents=True)
    good = next((videos / "train").glob("*.mp4"))
    (folder / "train" / "good.mp4").write_bytes(good.read_bytes())
    (folder / "train" / "bad.mp4").write_text("no video")
    config = DataConfig(resolution=32, split="time")
    manifest = prepare(folder, tmp_path / "store", config, run=on_all_nodes)
    assert [record.name for record in manifest.skipped] == ["train/bad.mp4"]
    assert manifest.skipped[0].error


def test_every_way_of_reading_gives_what_the_store_holds(
    store: Path, videos: Path, tmp_path: Path
) -> None:
    config = DataConfig(resolution=32, clip_length=4)
    in_place = in_videos(discover(videos), str(videos), config, tmp_path)
    ways = [in_files(store), in_shared_memory(store), in_place]
    first, *others = ((way, index_clips(way.manifest, "train", config)) for way in ways)
    expected = first[0].reader().read_batch(first[1])
    for way, clips in others:
        assert clips == first[1]
        np.testing.assert_array_equal(way.reader().read_batch(clips), expected)


def test_a_small_store_goes_into_shared_memory_which_is_said(store: Path) -> None:
    told: list[str] = []
    placed(store, "auto", told.append)
    placed(store, "memory_map", told.append)
    frames = "295 kB of frames"
    assert told == [
        f"{frames} in shared memory, once per node",
        f"{frames} mapped from the store's files, as data.reading says",
    ]


def test_a_refusal_in_a_task_is_raised_as_it_is(cluster: str, tmp_path: Path) -> None:
    gone = Source("x.mp4", (File("x.mp4", tmp_path / "x.mp4", 1),), None)
    with pytest.raises(DataError, match=r"^every node must see the footage, and .*x\.mp4 is not"):
        list(on_all_nodes(partial(count_source, images=False, scratch=tmp_path), [gone]))
