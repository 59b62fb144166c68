"""Promises about footage on other machines: found, named and read as on this one; one line where it is not."""

import pickle
import tempfile
from pathlib import Path

import pytest

from raysweep.data import DataConfig
from raysweep.data.sources.discover import discover
from raysweep.data.sources.listing import is_there
from raysweep.data.sources.places import entries_of
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from tests.data.media import write_video
from tests.data.object_store import bucket

KEYS = ["set/train/a b.mp4", "set/train/c#%20.mp4", "set/valid/ü.mp4", "set/.h/x.mp4", "set/z.doc"]


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    video = write_video(tmp_path_factory.mktemp("videos") / "x.mp4", frames=6).read_bytes()
    listed = "path,split\r\ntrain/a b.mp4,train\r\nvalid/ü.mp4,val\r\n"
    return dict.fromkeys(KEYS, video) | {"set/l.csv": listed.encode()}


@pytest.fixture(scope="module")
def options(objects):
    with pytest.MonkeyPatch.context() as patch, bucket(objects) as options:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "none")
        yield options


SPLIT = {"train/a b.mp4": "train", "train/c#%20.mp4": "train", "valid/ü.mp4": "valid"}
UNSPLIT = {f"set/{name}": None for name in SPLIT}

# address in the bucket -> names and what they are for
FOUND = [
    ("set", SPLIT),
    ("set/", SPLIT),
    ("", UNSPLIT),
    ("set/**/*.mp4", SPLIT),
    ("*/train/*.mp4", {name: None for name in UNSPLIT if "train" in name}),
    ("set/[tv]*", SPLIT),
    ("set/train/a b.mp4", {"a b.mp4": None}),
    ("set/l.csv", {name: label for name, label in SPLIT.items() if "#" not in name}),
]


@pytest.mark.parametrize(("path", "found"), FOUND, ids=lambda value: str(value)[:20])
def test_a_bucket_is_read_as_a_folder_is(options, path, found):
    source = f"s3://films/{path}{options}"
    assert {source.name: source.split for source in discover(source)} == found
    assert is_there(source)


def test_local_paths_stand_beside_addresses(options, tmp_path):
    (tmp_path / "y.mp4").touch()
    found = discover([f"s3://films/set/train{options}", str(tmp_path)])
    assert [source.files[0].remote is None for source in found] == [False, False, True]


def test_files_are_decoded_from_a_copy_that_goes(options, objects, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = f"s3://films/set{options}"
    manifest = prepare(source, tmp_path / "store", DataConfig(resolution=16))
    assert [(record.frames, record.fps, record.error) for record in manifest.records] == [
        (6, 24, None)
    ] * 3
    assert {record.source_bytes for record in manifest.records} == {len(objects[KEYS[0]])}
    assert list(tmp_path.glob("raysweep-*")) == []


def test_a_file_travels_and_one_that_is_gone_is_skipped(options, objects, tmp_path):
    objects["late/a.mp4"] = objects["late/b.mp4"] = objects[KEYS[0]]
    sources = pickle.loads(pickle.dumps(discover(f"s3://films/late{options}")))
    del objects["late/a.mp4"]
    with sources[1].files[0].local() as path:
        assert path.read_bytes() == objects[KEYS[0]]
    with pytest.raises(DataError, match="no such file"), sources[0].files[0].local():
        pass


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://films/absent{}", "must exist, got s3://films/absent"),
        ("s3://nothing/set{}", "must exist, got s3://nothing/set"),
        ("s3://films/*.mkv{}", "must match something"),
        ("s3://films/set{}&acl=none", "takes the options region.*got acl"),
        (
            "s3://films/set?region=x&endpoint_override=127.0.0.1:9",
            "in reach, and is not: .*connect",
        ),
        ("s3://me:secret@films/set", "holds a password. Put keys into the environment"),
        ("nfs://server/films", "nfs://server/films must be in reach, and is not: Unrecognized"),
        ("s3://", "must be in reach, and is not"),
    ],
)
def test_what_is_refused(options, address, message):
    with pytest.raises(DataError, match=message) as error:
        discover(address.format(options))
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_an_address_of_this_machine_is_a_path(tmp_path):
    folder = tmp_path / "my films"
    folder.mkdir()
    (folder / "a.mp4").touch()
    (source,) = discover(folder.as_uri())
    assert source.files[0].path == folder / "a.mp4"
    assert source.files[0].remote is None


@pytest.mark.parametrize(
    ("entry", "absolute"),
    [
        ("a", "{here}/a"),
        ("a/../b*", "{here}/b*"),
        ("~/a", "{home}/a"),
        ("~nobody-of-that-name/a", "{here}/~nobody-of-that-name/a"),
        ("s3://films/a b/*", "s3://films/a b/*"),
    ],
)
def test_entries_are_the_same_from_anywhere(entry, absolute):
    assert entries_of(entry) == [absolute.format(here=Path.cwd(), home=Path.home())]
