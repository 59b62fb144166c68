"""Bad footage goes through `prepare`: skipped, counted and named with the reason, in little memory and silence."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import DecodeError, read_frames, readable_name
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from tests.data.media import (
    huge_bmp,
    huge_jpeg,
    huge_jpeg2000,
    huge_png,
    huge_tiff,
    huge_video,
    index_first,
    of_an_unknown_codec,
    write_image,
    write_video,
)

NOBODY = 65534
SIDE = 60_000
NOT_TEXT = os.fsdecode(b"a\xff.mp4")

NO_VIDEO = "not a video that OpenCV can open"
NO_IMAGE = "not an image that OpenCV can open"
IS_IMAGE = "an image, not a video"
BROKEN_OFF = r"breaks off after \d+ of 90 frames; data\.keep_partial=true keeps what decodes"
LOCKED = "cannot be read: Permission denied"

BAD_VIDEOS = {
    "empty.mp4": ("the file is empty", lambda film, photo: b""),
    "text.mp4": (NO_VIDEO, lambda film, photo: b"this is text, not a video\n" * 50),
    "noise.avi": (NO_VIDEO, lambda film, photo: bytes(range(256)) * 80),
    "photo.mp4": (IS_IMAGE, lambda film, photo: photo(".png")),
    "photo.mov": (IS_IMAGE, lambda film, photo: photo(".jpg")),
    "photo.mkv": (IS_IMAGE, lambda film, photo: photo(".webp")),
    "index lost.mp4": (NO_VIDEO, lambda film, photo: half(film(".mp4"))),
    "cut.mp4": (BROKEN_OFF, lambda film, photo: half(index_first(film(".mp4")))),
    "cut.mkv": (BROKEN_OFF, lambda film, photo: half(film(".mkv"))),
    "cut.avi": (BROKEN_OFF, lambda film, photo: half(film(".avi"))),
    "no frames.avi": ("no decodable frame", lambda film, photo: film(".avi", frames=0)),
    "codec.mp4": (
        f"no decodable frame|{NO_VIDEO}",
        lambda film, photo: of_an_unknown_codec(film(".mp4")),
    ),
    "16,000.avi": (
        "frames of 16000x16000, more than 134,217,728 pixels",
        lambda film, photo: huge_video(film.folder, 16_000),
    ),
    "60,000.avi": (NO_VIDEO, lambda film, photo: huge_video(film.folder, SIDE)),
    NOT_TEXT: ("its path is not valid UTF-8, rename it", lambda film, photo: film(".mp4")),
    "locked.mp4": (LOCKED, lambda film, photo: film(".mp4")),
}
GOOD_VIDEOS = ["a b.mp4", "an mp4.avi", 'it\'s "q".mp4', "two\nlines.mp4", "视频é.mp4", "%03d.mp4"]

BAD_IMAGES = {
    "empty.png": ("the file is empty", lambda film, photo: b""),
    "text.png": (NO_IMAGE, lambda film, photo: b"not an image"),
    "film.png": (NO_IMAGE, lambda film, photo: film(".mp4")),
    "cut.png": (NO_IMAGE, lambda film, photo: half(photo(".png"))),
    "cut.jpg": (NO_IMAGE, lambda film, photo: half(photo(".jpg"))),
    "cut.webp": (NO_IMAGE, lambda film, photo: half(photo(".webp"))),
    "scratched.png": (NO_IMAGE, lambda film, photo: scratched(photo(".png"))),
    "huge.png": (NO_IMAGE, lambda film, photo: huge_png(SIDE)),
    "huge.bmp": (NO_IMAGE, lambda film, photo: huge_bmp(SIDE)),
    "huge.jpg": (NO_IMAGE, lambda film, photo: huge_jpeg(SIDE)),
    "huge.jp2": (NO_IMAGE, lambda film, photo: huge_jpeg2000(SIDE)),
    "huge.tif": (NO_IMAGE, lambda film, photo: huge_tiff(SIDE)),
    "locked.png": (LOCKED, lambda film, photo: photo(".png")),
}
GOOD_IMAGES = ["a b.png", 'it\'s "q".png', "two\nlines.png", "视频é.png", os.fsdecode(b"a\xff.png")]


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def scratched(content: bytes) -> bytes:
    """A few bytes in the middle are others."""
    middle = len(content) // 2
    return (
        content[:middle]
        + bytes(255 - b for b in content[middle : middle + 9])
        + content[middle + 9 :]
    )


class Film:
    """Makes a video in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, suffix: str, frames: int = 90) -> bytes:
        return write_video(self.folder / f"film{suffix}", frames=frames).read_bytes()


@pytest.fixture
def corpus() -> Iterator[Path]:
    """Where anyone may read and write, which is not so in pytest's own folders."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        fill(folder / "videos", GOOD_VIDEOS, BAD_VIDEOS)
        fill(folder / "images", GOOD_IMAGES, BAD_IMAGES)
        (folder / "videos" / "folder.mp4").mkdir()
        (folder / "videos" / "nowhere.mp4").symlink_to(folder / "gone.mp4")
        os.mkfifo(folder / "videos" / "pipe.mp4")
        yield folder


def fill(folder: Path, good: list[str], bad: dict) -> None:
    film = Film(folder.parent / "made")

    def photo(suffix: str) -> bytes:
        return write_image(film.folder / f"photo{suffix}", width=96, height=64).read_bytes()

    folder.mkdir()
    for name in good:
        (folder / name).write_bytes(film(".mp4") if "mp4" in name else photo(".png"))
    for name, (_, make) in bad.items():
        (folder / name).write_bytes(make(film, photo))
    for locked in folder.glob("locked.*"):
        locked.chmod(0)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@pytest.mark.usefixtures("unprivileged")
@pytest.mark.parametrize(
    ("of", "good", "bad"),
    [("videos", GOOD_VIDEOS, BAD_VIDEOS), ("images", GOOD_IMAGES, BAD_IMAGES)],
    ids=["videos", "images"],
)
def test_bad_files_are_skipped_counted_and_named_with_the_reason(corpus, of, good, bad):
    config = DataConfig(resolution=16, images=of == "images", max_bad_fraction=0.75)
    manifest = prepare(corpus / of, corpus / "store", config)
    reasons = dict(manifest.skipped)
    expected = {readable_name(name): why for name, (why, _) in bad.items()}
    assert reasons.keys() == expected.keys()
    wrong = [
        reasons[name] for name, why in expected.items() if not re.fullmatch(why, reasons[name])
    ]
    assert not wrong
    assert sum(r.frames for r in manifest.good) == len(good) * (1 if config.images else 90)
    stems = {path.stem for path in (corpus / "store" / "frames").iterdir()}
    assert stems == {Path(str(record.shard)).stem for record in manifest.good}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("name", "why"),
    [("pipe.mp4", "not a file"), ("folder.mp4", "not a file"), ("nowhere.mp4", "no such file")],
)
def test_what_is_no_file_is_not_waited_for(corpus, name, why):
    with pytest.raises(DecodeError, match=why):
        read_frames(corpus / "videos" / name)


QUIETLY = """
import resource, sys
from pathlib import Path
from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for of in ("videos", "images"):
    folder = Path(sys.argv[1]) / of
    config = DataConfig(resolution=16, images=of == "images", max_bad_fraction=1)
    prepare(folder, folder.parent / f"store {of}", config)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
raise SystemExit("Python's own words")
"""


def test_bad_files_take_little_memory_and_decoders_are_silent(corpus):
    for name, huge in (("huger.jpg", huge_jpeg), ("huger.jp2", huge_jpeg2000)):
        (corpus / "images" / name).write_bytes(huge(16_000))  # OpenCV's own limit lets these pass
    (corpus / "images" / "short.jpg").write_bytes(huge_jpeg(96))  # libjpeg has a word on it
    done = subprocess.run(
        [sys.executable, "-c", QUIETLY, str(corpus)], capture_output=True, text=True, check=False
    )
    assert done.stderr == "Python's own words\n"
    assert int(done.stdout) < 300, "megabytes"


def test_too_many_bad_files_are_refused_and_what_decoded_is_kept(tmp_path):
    write_video(tmp_path / "videos" / "z.mp4", frames=3)
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "videos" / name).write_text("x")
    told = (
        rf"data.max_bad_fraction lets 0.5 of the files be bad, got 2 of 3, first 'a.mp4': {NO_VIDEO}\. "
        "Mend or remove them, or raise it; what decoded is kept"
    )
    store, strict = tmp_path / "store", DataConfig(resolution=16)
    with pytest.raises(DataError, match=told) as refusal:
        prepare(tmp_path / "videos", store, strict)
    assert "\n" not in str(refusal.value)
    assert [path.suffix for path in sorted((store / "frames").iterdir())] == [".arrow", ".json"]
    assert not (store / "manifest.json").exists()
    before = {path: path.stat().st_mtime_ns for path in (store / "frames").iterdir()}
    prepare(tmp_path / "videos", store, DataConfig(resolution=16, max_bad_fraction=0.67))
    assert before == {path: path.stat().st_mtime_ns for path in (store / "frames").iterdir()}


def test_images_count_as_files(tmp_path):
    for number in range(4):
        write_image(tmp_path / "images" / f"{number}.png", seed=number)
    for name in ("0.png", "1.png"):
        (tmp_path / "images" / name).write_text("x")
    config = DataConfig(resolution=16, images=True)
    prepare(tmp_path / "images", tmp_path / "store", config)
    (tmp_path / "images" / "2.png").write_text("x")
    with pytest.raises(DataError, match="got 3 of 4"):
        prepare(tmp_path / "images", tmp_path / "other", config)
