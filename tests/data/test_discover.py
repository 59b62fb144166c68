"""Promises about finding footage: sorted, named from the root, folders respected, one clear line if not."""

import pytest

from raysweep.data.discover import discover
from raysweep.errors import DataError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(sources):
    return [source.name for source in sources]


def splits(sources):
    return {source.name: source.split for source in sources}


def test_a_folder_is_read_recursively_and_sorted(tmp_path):
    touch(
        tmp_path, "b.mp4", "a/z.MKV", "a/notes.txt", ".hidden.mp4", ".cache/x.mp4", "a/picture.png"
    )
    found = discover(tmp_path, "auto")
    assert names(found) == ["a/z.MKV", "b.mp4"]
    assert found[0].path == tmp_path / "a/z.MKV"


def test_one_file(tmp_path):
    touch(tmp_path, "b.mp4")
    assert names(discover(str(tmp_path / "b.mp4"), "auto")) == ["b.mp4"]


def test_a_list_is_named_from_its_common_folder(tmp_path):
    touch(tmp_path, "x/train/b.mp4", "x/val/a.mp4", "x/train/c.mp4")
    lines = ["x/train/b.mp4", "", f"{tmp_path}/x/val/a.mp4", "x/train/b.mp4"]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    assert splits(discover(tmp_path / "list.txt", "auto")) == {
        "train/b.mp4": "train",
        "val/a.mp4": "valid",
    }


@pytest.mark.parametrize("folder", ["valid", "vaild", "val"])
@pytest.mark.parametrize("split", ["auto", "folders"])
def test_folders_split(tmp_path, folder, split):
    touch(tmp_path, "train/deep/a.mp4", f"{folder}/b.mp4", "test/c.mp4", "d.mp4")
    assert splits(discover(tmp_path, split)) == {
        "train/deep/a.mp4": "train",
        f"{folder}/b.mp4": "valid",
    }


@pytest.mark.parametrize("split", ["source", "time"])
def test_other_splits_take_every_video(tmp_path, split):
    touch(tmp_path, "train/a.mp4", "valid/b.mp4", "d.mp4")
    assert names(discover(tmp_path, split)) == ["d.mp4", "train/a.mp4", "valid/b.mp4"]


def test_train_alone_is_an_ordinary_folder(tmp_path):
    touch(tmp_path, "train/a.mp4", "b.mp4")
    assert splits(discover(tmp_path, "auto")) == {"b.mp4": None, "train/a.mp4": None}


@pytest.mark.parametrize(
    ("files", "source", "split", "message"),
    [
        (["a.doc"], ".", "auto", "holds no video: .*suffixes are read: .*.mp4"),
        ([], "absent", "auto", "must exist, got .*absent"),
        (["a.doc"], "a.doc", "auto", "must be a folder, a video or a .txt list"),
        (["list.txt"], "list.txt", "auto", "holds no video"),
        (["train/a.mp4"], ".", "folders", "'folders' needs .* train .* valid, vaild, val"),
    ],
)
def test_what_is_refused(tmp_path, files, source, split, message):
    touch(tmp_path, *files)
    with pytest.raises(DataError, match=message) as error:
        discover(tmp_path / source, split)
    assert "\n" not in str(error.value)


def test_links_are_followed_and_loops_end(tmp_path):
    touch(tmp_path, "disk/a.mp4", "disk/deep/b.mp4", "videos/c.mp4")
    (tmp_path / "videos" / "train").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(tmp_path / "videos")
    found = names(discover(tmp_path / "videos", "auto"))
    assert found == ["c.mp4", "train/a.mp4", "train/deep/b.mp4"]


def test_a_list_in_another_encoding_names_what_is_missing(tmp_path):
    (tmp_path / "list.txt").write_bytes("视频.mp4".encode("gbk"))
    with pytest.raises(DataError, match=r"\\xca\\xd3.*does not exist"):
        discover(tmp_path / "list.txt", "auto")


def test_a_list_with_a_missing_file_names_it(tmp_path):
    (tmp_path / "list.txt").write_text("gone.mp4")
    with pytest.raises(DataError, match=r"gone.mp4 does not exist"):
        discover(tmp_path / "list.txt", "auto")
