"""Promises about the store: the frames it holds are the decoded ones, junk is named, twice is once."""

import os
import pickle
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import read_frames
from raysweep.data.decoding.fit import fit_square
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources import discover as discover_module
from raysweep.data.sources.discover import File, Source, discover
from raysweep.data.storing.manifest import read_manifest, require_settings
from raysweep.data.storing.shards import SEGMENT_FRAMES, read_shard, write_shard
from raysweep.data.storing.store import is_prepared, prepare, prepare_source
from raysweep.errors import DataError
from tests.data.media import BROKEN, still, write_image, write_video
from tests.data.stores import must_not_run, read_shards

CONFIG = DataConfig(resolution=16)
ODD_NAMES = ["a b.mp4", 'it\'s "q".mp4', "two\nlines.mp4", "视频é.mp4", "%03d.mp4", "sub/a b.mp4"]


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    write_video(folder / "a.mp4", frames=70, seed=1)
    write_video(folder / "b.mp4", frames=5, seed=2)
    return folder


def stored_bytes(folder):
    tables = read_shards(folder, read_manifest(folder))
    return [b"".join(table["data"].to_pylist()) for table in tables]


def made(source, folder, settings):
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    return prepare_source(source, folder, settings, folder / "parts")


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_store_holds_the_decoded_and_fitted_frames(videos, tmp_path):
    manifest = prepare(videos, tmp_path / "store", CONFIG)
    for record, data in zip(manifest.good, stored_bytes(tmp_path / "store"), strict=True):
        expected = [fit_square(frame, CONFIG) for frame in read_frames(videos / record.name)]
        assert data == np.stack(expected).tobytes()
    assert [(r.name, r.frames, r.width, r.height, r.fps) for r in manifest.records] == [
        ("a.mp4", 70, 48, 32, 24),
        ("b.mp4", 5, 48, 32, 24),
    ]
    assert read_manifest(tmp_path / "store") == manifest


@pytest.mark.parametrize("count", [1, SEGMENT_FRAMES, SEGMENT_FRAMES + 1, SEGMENT_FRAMES * 5 + 3])
def test_a_shard_is_a_sequence_of_segments(tmp_path, count):
    frames = np.arange(count * 12, dtype=np.uint32).astype(np.uint8).reshape(count, 2, 2, 3)
    assert write_shard(tmp_path / "s.arrow", "name", iter(frames), CONFIG).frames == count
    table = read_shard(tmp_path / "s.arrow")
    assert table["first_frame"].to_pylist() == list(range(0, count, SEGMENT_FRAMES))
    assert sum(table["frames"].to_pylist()) == count
    assert b"".join(table["data"].to_pylist()) == frames.tobytes()
    assert table.schema.field("data").type == pa.binary()


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_file_is_skipped_and_named(videos, tmp_path, name):
    (videos / name).write_bytes(BROKEN[name])
    manifest = prepare(videos, tmp_path / "store", CONFIG)
    assert [record.name for record in manifest.skipped] == [name]
    assert manifest.skipped[0].error
    assert [record.name for record in manifest.good] == ["a.mp4", "b.mp4"]
    assert len(list((tmp_path / "store" / "frames").iterdir())) == 4, "shards and notes of two"


def test_a_listed_file_with_a_wrong_suffix_is_skipped_and_named(videos, tmp_path):
    (videos / "notes.doc").write_text("words")
    (tmp_path / "list.txt").write_text("videos/notes.doc\nvideos/b.mp4")
    manifest = prepare(tmp_path / "list.txt", tmp_path / "store", CONFIG)
    assert [(r.name, r.error) for r in manifest.skipped] == [
        ("notes.doc", "no reader for the suffix '.doc'")
    ]


def test_all_bad_is_refused(tmp_path):
    (tmp_path / "zero.mp4").touch()
    with pytest.raises(DataError, match=r"first 'zero.mp4': the file is empty\."):
        prepare(tmp_path, tmp_path / "store", CONFIG)
    assert not (tmp_path / "store" / "manifest.json").exists()


def test_odd_names_survive(tmp_path):
    for seed, name in enumerate(ODD_NAMES):
        write_video(tmp_path / "videos" / name, frames=2, seed=seed)
    manifest = prepare(tmp_path / "videos", tmp_path / "store", CONFIG)
    assert [record.name for record in manifest.good] == sorted(ODD_NAMES)
    tables = read_shards(tmp_path / "store", manifest)
    assert [table["source"][0].as_py() for table in tables] == sorted(ODD_NAMES)


def test_a_name_that_is_no_text_is_skipped_and_named(videos, tmp_path):
    try:
        (videos / "a.mp4").rename(videos / os.fsdecode(b"a\xff.mp4"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    manifest = prepare(videos, tmp_path / "store", CONFIG)
    assert [(r.name, r.error) for r in manifest.skipped] == [
        ("a\\xff.mp4", "its path is not valid UTF-8, rename it")
    ]


def test_a_second_prepare_does_nothing(videos, tmp_path):
    (videos / "zero.mp4").touch()
    first = prepare(videos, tmp_path / "store", CONFIG)
    before = files(tmp_path / "store")
    assert prepare(videos, tmp_path / "store", CONFIG, run=must_not_run) == first
    assert files(tmp_path / "store") == before


def test_a_store_that_lost_a_shard_gets_it_back(videos, tmp_path):
    manifest = prepare(videos, tmp_path / "store", CONFIG)
    whole = {path: path.read_bytes() for path in files(tmp_path / "store")}
    (tmp_path / "store" / "frames" / str(manifest.good[0].shard)).unlink()
    told = []
    assert prepare(videos, tmp_path / "store", CONFIG, progress=told.append) == manifest
    assert {path: path.read_bytes() for path in files(tmp_path / "store")} == whole
    assert [(done.record.name, done.is_kept) for done in told] == [
        ("a.mp4", False),
        ("b.mp4", True),
    ]


def test_a_finished_store_is_held_to_the_bad_files_that_are_allowed(videos, tmp_path):
    (videos / "zero.mp4").touch()
    prepare(videos, tmp_path / "store", CONFIG)
    with pytest.raises(DataError, match=r"lets 0\.1 of the files be bad, got 1 of 3, first 'zero"):
        prepare(videos, tmp_path / "store", CONFIG.model_copy(update={"max_bad_fraction": 0.1}))


@pytest.mark.parametrize("same", [{"quality": 80}, {"shortest_side": 16}])
def test_settings_that_change_nothing_are_the_same_store(videos, tmp_path, same):
    prepare(videos, tmp_path / "store", CONFIG)
    asked = DataConfig(resolution=16, **same)
    prepare(videos, tmp_path / "store", asked, run=must_not_run)


def test_a_store_that_cannot_be_made_is_refused(videos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"a folder that can be made, and .*file/store cannot: Not a"
    ):
        prepare(videos, tmp_path / "file" / "store", CONFIG)


def test_an_interrupted_prepare_keeps_its_finished_shards(videos, tmp_path):
    def stop_after_one(function, sources):
        yield function(sources[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(videos, tmp_path / "store", CONFIG, run=stop_after_one)
    before = files(tmp_path / "store")
    assert not is_prepared(tmp_path / "store", discover(videos, "auto"), CONFIG.preprocessing)
    prepare(videos, tmp_path / "store", CONFIG)
    assert before.items() <= files(tmp_path / "store").items()
    assert read_manifest(tmp_path / "store").good == prepare(videos, tmp_path / "new", CONFIG).good


def test_a_finished_shard_of_another_resolution_file_or_version_is_made_anew(videos, tmp_path):
    source, smaller = discover(videos / "b.mp4", "auto")[0], Preprocessing(resolution=8)
    shas = [made(source, tmp_path / "store", of).sha256 for of in (CONFIG.preprocessing, smaller)]
    next((tmp_path / "store" / "frames").glob("*.json")).write_text('{"version": 0}')
    assert made(source, tmp_path / "store", smaller).sha256 == shas[1]
    write_video(videos / "b.mp4", frames=9, seed=3)
    source = discover(videos / "b.mp4", "auto")[0]
    shas.append(made(source, tmp_path / "store", smaller).sha256)
    assert len(set(shas)) == 3


def test_another_resolution_is_refused(videos, tmp_path):
    manifest = prepare(videos, tmp_path / "store", CONFIG)
    with pytest.raises(
        DataError, match=r"data.resolution stored 16, asked 32\. Set data.resolution to 16"
    ):
        prepare(videos, tmp_path / "store", DataConfig(resolution=32))
    require_settings(manifest, CONFIG.preprocessing)


def test_other_sources_are_refused(videos, tmp_path):
    prepare(videos, tmp_path / "store", CONFIG)
    write_video(videos / "c.mp4", frames=2)
    with pytest.raises(
        DataError, match=r"'c.mp4' is stored as absent, asked as \d+ bytes .* --update"
    ):
        prepare(videos, tmp_path / "store", CONFIG)


@pytest.mark.parametrize("text", ["{", '{"version": 3}', "[]"])
def test_an_unreadable_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="must have format 2"):
        read_manifest(tmp_path)


def test_an_absent_store_is_refused(tmp_path):
    with pytest.raises(DataError, match="Run raysweep prepare"):
        read_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize("keep", [0, 1000])
def test_a_damaged_shard_is_named(videos, tmp_path, keep):
    manifest = prepare(videos, tmp_path / "store", CONFIG)
    shard = tmp_path / "store" / "frames" / str(manifest.good[0].shard)
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(DataError, match=shard.name):
        read_shards(tmp_path / "store", manifest)


def test_progress_and_the_seam(videos, tmp_path):
    seen = []
    prepare(
        videos,
        tmp_path / "store",
        CONFIG,
        run=lambda function, sources: map(pickle.loads(pickle.dumps(function)), reversed(sources)),
        progress=lambda done: seen.append((done.files, done.of_files, done.record.name)),
    )
    assert seen == [(1, 2, "b.mp4"), (2, 2, "a.mp4")]
    assert [r.name for r in read_manifest(tmp_path / "store").records] == ["a.mp4", "b.mp4"]


def test_a_source_that_this_machine_does_not_see_is_refused_and_not_skipped(tmp_path):
    one = partial(made, folder=tmp_path, settings=CONFIG.preprocessing)
    with pytest.raises(
        DataError, match=r"every node must see the footage, and .*x\.mp4 is not there on"
    ):
        one(Source("x.mp4", (File("x.mp4", tmp_path / "x.mp4"),), None))


IMAGES = DataConfig(resolution=16, images=True)


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Ten of them, four to a source."""
    monkeypatch.setattr(discover_module, "IMAGES_PER_SOURCE", 4)
    for number in range(10):
        write_image(tmp_path / "images" / f"{number}.png", seed=number)
    return tmp_path / "images"


def test_images_share_shards_and_are_all_there(images, tmp_path):
    manifest = prepare(images, tmp_path / "store", IMAGES)
    assert [record.frames for record in manifest.good] == [4, 4, 2]
    assert (manifest.settings.images, {record.fps for record in manifest.good}) == (True, {None})
    assert len(list((tmp_path / "store" / "frames").glob("*.arrow"))) == 3
    frames = np.frombuffer(b"".join(stored_bytes(tmp_path / "store")), np.uint8)
    expected = {fit_square(still(seed=number), CONFIG).tobytes() for number in range(10)}
    assert {frame.tobytes() for frame in frames.reshape(10, -1)} == expected


def test_a_bad_image_is_skipped_and_named_and_the_others_are_not(images, tmp_path):
    (images / "3.png").write_bytes(b"junk")
    manifest = prepare(images, tmp_path / "store", IMAGES)
    assert [tuple(skipped) for skipped in manifest.skipped] == [
        ("3.png", "not an image that OpenCV can open")
    ]
    assert sum(record.frames for record in manifest.good) == 9
    assert prepare(images, tmp_path / "store", IMAGES, run=must_not_run) == manifest


def test_no_image_that_decodes_is_refused(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_text("x")
    with pytest.raises(DataError, match=r"got 2 that do not, first '[ab].png': not an image"):
        prepare(tmp_path, tmp_path / "store", IMAGES)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write_image(folder / "new.png"),
        lambda folder: (folder / "1.png").rename(folder / "one.png"),
        lambda folder: (folder / "1.png").unlink(),
        lambda folder: write_image(folder / "1.png", width=99),
    ],
    ids=["another", "renamed", "removed", "replaced"],
)
def test_other_images_are_refused(images, tmp_path, change):
    prepare(images, tmp_path / "store", IMAGES)
    change(images)
    with pytest.raises(DataError, match=r"a store keeps its sources: 'images-0000"):
        prepare(images, tmp_path / "store", IMAGES)


def test_a_validation_source_is_part_of_the_store(videos, tmp_path):
    write_video(tmp_path / "more" / "a.mp4", frames=3, seed=5)
    data = DataConfig(resolution=16, source="x", validation_source=str(tmp_path / "more"))
    manifest = prepare(videos, tmp_path / "store", data)
    assert {record.name: record.split for record in manifest.records} == {
        "videos/a.mp4": "train",
        "videos/b.mp4": "train",
        "more/a.mp4": "valid",
    }
    with pytest.raises(DataError, match="a store keeps its sources"):
        prepare(videos, tmp_path / "store", CONFIG)


def test_several_folders_are_one_store(videos, tmp_path):
    write_video(tmp_path / "more" / "a.mp4", frames=3, seed=5)
    manifest = prepare([videos, tmp_path / "more"], tmp_path / "store", CONFIG)
    assert [r.name for r in manifest.records] == ["more/a.mp4", "videos/a.mp4", "videos/b.mp4"]
    assert manifest.source == f"{videos}, {tmp_path / 'more'}"


def test_a_store_of_images_is_no_store_of_videos(images, tmp_path):
    manifest = prepare(images, tmp_path / "store", IMAGES)
    require_settings(manifest, IMAGES.preprocessing)
    with pytest.raises(DataError, match=r"stored true, asked false\. Set data.images to true"):
        require_settings(manifest, CONFIG.preprocessing)
