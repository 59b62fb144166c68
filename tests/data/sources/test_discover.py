"""Promises about finding footage: sorted, named from the root, folders respected, one clear line if not."""

import os

import pytest

from raysweep.data.sources import discover as discover_module
from raysweep.data.sources.discover import discover
from raysweep.data.sources.listing import is_there
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
    assert [file.path for file in found[0].files] == [tmp_path / "a/z.MKV"]


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
        "test/c.mp4": "test",
    }


def test_a_test_folder_alone_beside_train_is_no_split(tmp_path):
    touch(tmp_path, "train/a.mp4", "test/b.mp4")
    assert set(splits(discover(tmp_path)).values()) == {None}


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
        (["a.doc"], "a.doc", "auto", "must be a folder, a video, an image or a list of files"),
        (["list.txt"], "list.txt", "auto", "holds no video"),
        (["train/a.mp4"], ".", "folders", "'folders' needs .* train .* valid, vaild, val"),
        (["a.png", "b.JPG"], ".", "auto", "holds no video, but images: .* data.images=true"),
        (["a.png"], "a.png", "auto", "holds no video, but images: .* data.images=true"),
        (["a.mp4"], "*.mkv", "auto", r"must match something, and .*\.mkv does not"),
        (["a.doc"], "*", "auto", "holds no video: .*suffixes are read"),
        (["a.mp4"], "**.mp4", "auto", r"\*\*\.mp4.* does not: .*Correct it"),
        (["a.mp4"], "a.mp4/b", "auto", "must exist"),
        (["a.mp4"], "x" * 300, "auto", "does not: File name too long"),
        (
            ["u/train/a.mp4", "u/valid/b.mp4"],
            ".",
            "folders",
            "There are some in u: name that folder",
        ),
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


# what lies there, what is given -> names
GIVEN = [
    (["a/x.mp4", "b/x.mp4", "c/x.mp4"], ["a", "b"], ["a/x.mp4", "b/x.mp4"]),
    (["a/x.mp4", "a/y.mp4"], ["a", "a/x.mp4", "a/*.mp4"], ["x.mp4", "y.mp4"]),
    (["a/x.mp4", "b/c/y.mp4"], ["a/x.mp4", "b"], ["a/x.mp4", "b/c/y.mp4"]),
    (["a/x.mp4", "a/b/y.mp4", "a/z.png"], ["a/*"], ["b/y.mp4", "x.mp4"]),
    (["a/x.mp4", "a/b/y.mp4", "a/.h/z.mp4"], ["a/**/*.mp4"], ["b/y.mp4", "x.mp4"]),
    (["a1/x.mp4", "a2/x.mp4", "b/x.mp4"], ["a?"], ["a1/x.mp4", "a2/x.mp4"]),
    (["a[1]/x.mp4", "a1/y.mp4"], ["a[1]"], ["x.mp4"]),
    (["a/x.mp4"], ["a/../a"], ["x.mp4"]),
]


@pytest.mark.parametrize(("files", "given", "found"), GIVEN, ids=lambda value: " ".join(value))
def test_folders_files_and_patterns_stand_beside_each_other(tmp_path, files, given, found):
    touch(tmp_path, *files)
    assert names(discover([tmp_path / entry for entry in given])) == found


def test_a_single_pattern_needs_no_list(tmp_path):
    touch(tmp_path, "a.mp4", "b.avi")
    assert names(discover(f"{tmp_path}/*.avi")) == ["b.avi"]


def test_two_folders_called_train_and_valid_are_a_split(tmp_path):
    touch(tmp_path, "train/a.mp4", "valid/b.mp4")
    found = discover([tmp_path / "train", tmp_path / "valid"])
    assert splits(found) == {"train/a.mp4": "train", "valid/b.mp4": "valid"}


def test_a_validation_source_validates_and_the_source_trains(tmp_path):
    touch(tmp_path, "a/train/x.mp4", "a/valid/y.mp4", "b/x.mp4")
    found = discover(tmp_path / "a", validation=tmp_path / "b")
    assert splits(found) == {
        "a/train/x.mp4": "train",
        "a/valid/y.mp4": "train",
        "b/x.mp4": "valid",
    }


def test_a_file_that_would_train_and_validate_is_refused(tmp_path):
    touch(tmp_path, "a/x.mp4", "a/b/y.mp4")
    with pytest.raises(
        DataError, match=r"y\.mp4 is in data\.source and in data\.validation_source"
    ):
        discover(tmp_path / "a", validation=tmp_path / "a/b")


def test_an_empty_validation_source_is_named(tmp_path):
    touch(tmp_path, "a/x.mp4", "b/notes.txt")
    with pytest.raises(DataError, match=r"^data\.validation_source holds no video: .*/b\."):
        discover(tmp_path / "a", validation=tmp_path / "b")


def test_images_lie_together_in_the_order_of_a_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(discover_module, "IMAGES_PER_SOURCE", 4)
    touch(tmp_path, *(f"{i:02}.png" for i in range(10)), "film.mp4")
    found = discover(tmp_path, images=True)
    assert [len(source.files) for source in found] == [4, 4, 2]
    in_order = [file.name for source in found for file in source.files]
    assert sorted(in_order) == [f"{i:02}.png" for i in range(10)]
    assert in_order != sorted(in_order)
    assert names(found) == sorted(names(found))


def test_the_name_of_images_together_tells_other_names_apart(tmp_path):
    touch(tmp_path, "a.png", "b.png")
    (before,) = names(discover(tmp_path, images=True))
    (tmp_path / "a.png").rename(tmp_path / "c.png")
    (after,) = names(discover(tmp_path, images=True))
    assert before != after


@pytest.mark.parametrize("validation", [None, "valid"])
def test_images_that_train_and_validate_lie_apart(tmp_path, validation):
    touch(tmp_path, "train/a.png", "train/b.jpg", "valid/c.png")
    found = (
        discover(tmp_path, images=True)
        if validation is None
        else discover(tmp_path / "train", validation=tmp_path / "valid", images=True)
    )
    assert [(source.split, len(source.files)) for source in found] == [("train", 2), ("valid", 1)]


def test_a_folder_of_videos_is_refused_as_images(tmp_path):
    touch(tmp_path, "a.mp4")
    with pytest.raises(DataError, match=r"holds no image, but videos: .* data\.images=false"):
        discover(tmp_path, images=True)


def test_whether_every_entry_is_still_there(tmp_path):
    touch(tmp_path, "a/x.mp4")
    assert is_there([str(tmp_path / "a"), str(tmp_path / "*/*.mp4")])
    assert not is_there([str(tmp_path / "a"), str(tmp_path / "*.mp4")])
    assert not is_there(tmp_path / "b")


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    touch(tmp_path, "a/x.mp4", "b/y.mp4")
    scandir = os.scandir

    def refusing(folder):
        if str(folder).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)  # root may list any folder
    with pytest.raises(DataError, match=r"/b' does not: Permission denied"):
        discover(tmp_path)


def test_a_file_with_two_names_is_taken_once(tmp_path):
    touch(tmp_path, "a/x.mp4", "b/z.mp4")
    (tmp_path / "b/y.mp4").symlink_to(tmp_path / "a/x.mp4")
    (tmp_path / "b/gone.mp4").symlink_to(tmp_path / "a/gone.mp4")
    assert names(discover(tmp_path)) == ["a/x.mp4", "b/z.mp4"]


def test_a_file_that_serves_two_splits_by_a_link_is_refused(tmp_path):
    touch(tmp_path, "train/x.mp4", "valid/z.mp4")
    (tmp_path / "valid/y.mp4").symlink_to(tmp_path / "train/x.mp4")
    with pytest.raises(DataError, match=r"'train/x\.mp4' \(train\) and 'valid/y\.mp4' \(valid\)"):
        discover(tmp_path)


def test_images_and_videos_of_a_list_are_each_tried(tmp_path):
    touch(tmp_path, "a.mp4", "b.png", "c.doc")
    (tmp_path / "list.txt").write_text("a.mp4\nb.png\nc.doc")
    assert names(discover(tmp_path / "list.txt")) == ["a.mp4", "b.png", "c.doc"]


def test_images_that_test_lie_apart(tmp_path):
    touch(tmp_path, "train/a.png", "test/b.png", "valid/c.png")
    assert {source.split for source in discover(tmp_path, images=True)} == {
        "train",
        "valid",
        "test",
    }


def test_a_hard_link_is_the_same_file(tmp_path):
    for name in ("train", "valid"):
        (tmp_path / name).mkdir()
    (tmp_path / "train/x.mp4").touch()
    (tmp_path / "valid/y.mp4").hardlink_to(tmp_path / "train/x.mp4")
    with pytest.raises(DataError, match=r"'train/x.mp4' \(train\) and 'valid/y.mp4' \(valid\)"):
        discover(tmp_path)
