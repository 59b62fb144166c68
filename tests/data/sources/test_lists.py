"""Promises about lists of files: paths and splits are taken, or the row is named."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from raysweep.data.sources.discover import discover
from raysweep.errors import DataError

FILES = ["a/1.mp4", "a/2.mp4", "b/0001", "b/é, x.mp4", "c/1.png", "c/2.png"]


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def write(folder, suffix, rows):
    """Rows of (path, split)."""
    path = folder / f"list{suffix}"
    table = [{"path": name, "split": split} for name, split in rows]
    if suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(table), path)
    elif suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, table)))
    else:
        lines = ["path,split", *(f'"{name}",{split or ""}' for name, split in rows)]
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("word", ["valid", "val", "vaild", "validation", "Valid"])
def test_a_list_says_what_is_for_what(folder, suffix, word):
    rows = [
        ("a/1.mp4", "train"),
        (f"{folder}/a/2.mp4", word),
        ("b/é, x.mp4", "test"),
        ("b/0001", None),
    ]
    found = discover(write(folder, suffix, rows))
    assert [(source.name, source.split) for source in found] == [
        ("a/1.mp4", "train"),
        ("a/2.mp4", "valid"),
        ("b/é, x.mp4", "test"),
    ]


def test_other_splits_take_every_row(folder):
    rows = [("a/1.mp4", "train"), ("a/2.mp4", "val"), ("b/0001", "")]
    found = discover(write(folder, ".csv", rows), "source")
    assert [source.split for source in found] == [None] * 3


def test_a_row_may_name_a_folder_of_frames(folder):
    rows = [("a/1.mp4", "train"), ("c", "val")]
    found = discover(write(folder, ".csv", rows), frame_folders=True)
    assert [(source.name, source.split, source.frames) for source in found] == [
        ("a/1.mp4", "train", False),
        ("c", "valid", True),
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a/1.mp4", "train"), ("a/2.mp4", "trian")], "one of train, .* got 'trian' in row 2"),
        ([("a/1.mp4", "train"), ("gone.mp4", "val")], r"gone\.mp4 does not exist \(row 2\)"),
        ([("a/1.mp4", "train"), ("", "val")], "row 2 has none"),
        ([("a/1.mp4", "train"), ("a/2.mp4", "test")], "got test and train alone"),
        ([("c/1.png", "train"), ("c/2.png", "val")], "holds no video, but images"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_wrong_row_is_named(folder, suffix, rows, message):
    with pytest.raises(DataError, match=message) as error:
        discover(write(folder, suffix, rows))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "cannot be read as one: Empty CSV"),
        ("x.csv", b"file,split\na/1.mp4,train\n", "must have a column path, got file, split"),
        ("x.csv", b"path\na,b,c\n", "cannot be read as one"),
        ("x.csv", b"path\n", "holds no video"),
        ("x.csv", b"path\n\xca\xd3.mp4\n", "cannot be read as one: .*UTF"),
        ("x.jsonl", b"{path: 1}", "cannot be read as one"),
        ("x.parquet", b"path", "cannot be read as one"),
        ("x.txt", b"", "holds no video"),
        ("x.txt", "a/1.mp4".encode("utf-16"), "must be text in UTF-8"),
    ],
)
def test_what_is_no_list_is_refused(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        discover(folder / name)
    assert "\n" not in str(error.value)


def test_a_list_written_on_windows_is_a_list(folder):
    (folder / "x.txt").write_bytes(b"\xef\xbb\xbfa/1.mp4\r\n\r\na/2.mp4\r\n")
    assert [source.name for source in discover(folder / "x.txt")] == ["1.mp4", "2.mp4"]


def test_frames_of_a_video_serve_one_split(folder):
    rows = [("a/1.mp4", "train"), ("c/1.png", "train"), ("c/2.png", "val")]
    with pytest.raises(DataError, match="those of 'c' are to serve several"):
        discover(write(folder, ".csv", rows), frame_folders=True)


def test_a_file_is_listed_for_one_split(folder):
    rows = [("a/1.mp4", "train"), ("a/1.mp4", "valid"), ("a/2.mp4", "train")]
    with pytest.raises(DataError, match=r"a/1.mp4 is listed for train and for valid\. Remove"):
        discover(write(folder, ".csv", rows))
