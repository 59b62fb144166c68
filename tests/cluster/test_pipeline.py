import json
from pathlib import Path

import numpy as np
import pytest

from raysweep.cluster.pipeline import ShardByRank, materialise, on_all_nodes, shard_of
from raysweep.data import DataConfig
from raysweep.data.clips import index_clips
from raysweep.data.reader import ClipReader
from raysweep.data.store import prepare, read_shards
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


def test_workers_read_from_shared_memory_what_the_store_holds(store: Path) -> None:
    from raysweep.data.manifest import read_manifest

    manifest = read_manifest(store)
    clips = index_clips(manifest, "train", DataConfig(resolution=32, clip_length=4))
    shared = ClipReader(shard_of(materialise(store, manifest)).open(), manifest.settings.resolution)
    direct = ClipReader(read_shards(store, manifest), manifest.settings.resolution)
    np.testing.assert_array_equal(shared.read_batch(clips), direct.read_batch(clips))


def test_every_rank_gets_the_same_tables_and_its_own_place(store: Path) -> None:
    from raysweep.data.manifest import read_manifest

    frames = materialise(store, read_manifest(store))
    shards = ShardByRank().configure({"frames": frames}, 2, None, None)
    assert [(s["frames"].rank, s["frames"].workers) for s in shards] == [(0, 2), (1, 2)]
    assert shards[0]["frames"].tables == shards[1]["frames"].tables
