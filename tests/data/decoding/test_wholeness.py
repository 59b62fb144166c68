"""Promises about partial videos: half a file is told from a whole one whose container claims too much."""

import pytest

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import READERS, frame_rate, read_timed
from raysweep.data.decoding.wholeness import Extent, breaks_off
from raysweep.data.storing.store import prepare
from tests.data.media import half_shown, index_first, rotated, two_rates, write_video

FRAMES = 90


def lacks(path):
    said = []
    frames = list(read_timed(path, READERS, said.append))
    return len(frames), said


def written(folder, suffix, codec="mp4v"):
    return write_video(folder / f"whole{suffix}", frames=FRAMES, codec=codec).read_bytes()


WHOLE = {
    "index last.mp4": lambda folder: written(folder, ".mp4"),
    "index first.mp4": lambda folder: index_first(written(folder, ".mp4")),
    "a.mkv": lambda folder: written(folder, ".mkv"),
    "a.avi": lambda folder: written(folder, ".avi"),
    "mjpeg.avi": lambda folder: written(folder, ".avi", "MJPG"),
    "a.ts": lambda folder: written(folder, ".ts"),
    "rotated.mp4": lambda folder: rotated(written(folder, ".mp4")),
    "two rates.mp4": lambda folder: two_rates(written(folder, ".mp4")),
    "an mp4.avi": lambda folder: written(folder, ".mp4"),
    "with a tail.mp4": lambda folder: written(folder, ".mp4") + b"what an editor left",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_whole(tmp_path, name):
    (tmp_path / name).write_bytes(WHOLE[name](tmp_path))
    assert lacks(tmp_path / name) == (FRAMES, [])


def test_a_whole_file_that_claims_too_much_is_whole(tmp_path):
    (tmp_path / "a.mp4").write_bytes(half_shown(written(tmp_path, ".mp4")))
    assert lacks(tmp_path / "a.mp4") == (FRAMES // 2, [])


@pytest.mark.parametrize("zeros", [False, True], ids=["cut", "zeros"])
@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("name", ["index first.mp4", "a.mkv", "a.avi", "mjpeg.avi"])
def test_a_file_that_breaks_off_says_so(tmp_path, name, share, zeros):
    whole = WHOLE[name](tmp_path)
    kept = whole[: int(len(whole) * share)]
    (tmp_path / name).write_bytes(kept + bytes(zeros * (len(whole) - len(kept))))
    frames, said = lacks(tmp_path / name)
    assert 0 < frames < FRAMES
    assert said == [f"breaks off after {frames} of {FRAMES} frames"]


@pytest.mark.parametrize(
    ("claimed", "decoded", "expected"),
    [
        (Extent(100, 4), Extent(50, 2), True),
        (Extent(100, 4), Extent(50, 4), False),
        (Extent(100, 4), Extent(100, 2), False),
        (Extent(100, 4), Extent(98, 3.92), False),
        (Extent(1000, 40), Extent(985, 39.4), True),
        (Extent(1, 0.04), Extent(1, 0.04), False),
        (Extent(0, 0), Extent(50, 2), False),
        (Extent(-2e17, -1e16), Extent(50, 2), False),
    ],
)
def test_both_frames_and_seconds_must_be_short(tmp_path, claimed, decoded, expected):
    whole = index_first(written(tmp_path, ".mp4"))
    for name, content in (("cut", whole[: len(whole) // 2]), ("whole", whole)):
        (tmp_path / name).write_bytes(content)
        told = breaks_off(tmp_path / name, claimed, decoded)
        assert told == (expected and name == "cut")


def test_a_partial_video_is_bad_as_a_whole_or_kept_when_asked(tmp_path):
    whole = index_first(written(tmp_path / "videos", ".mp4"))
    (tmp_path / "videos" / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    kept = prepare(tmp_path / "videos", tmp_path / "kept", DataConfig(keep_partial=True))
    cut, good = kept.records
    assert (cut.lacks, good.lacks) == (f"breaks off after {cut.frames} of {FRAMES} frames", None)
    assert not kept.skipped

    (tmp_path / "kept" / "manifest.json").unlink()
    strict = prepare(tmp_path / "videos", tmp_path / "kept", DataConfig())
    assert [tuple(skipped) for skipped in strict.skipped] == [
        ("cut.mp4", f"{cut.lacks}; data.keep_partial=true keeps what decodes")
    ]
    left = {path.stem for path in (tmp_path / "kept" / "frames").iterdir()}
    assert left == {str(good.shard).removesuffix(".arrow")}, "nothing of the bad file"


def test_fps_of_a_variable_rate(tmp_path):
    folder = tmp_path / "videos"
    (path := write_video(folder / "a.mp4", frames=40)).write_bytes(two_rates(path.read_bytes()))
    times = [timed.seconds for timed in read_timed(path, READERS, pytest.fail)]
    assert times == pytest.approx([n / 16 for n in range(20)] + [(60 + n) / 48 for n in range(20)])
    assert frame_rate(path) == 24
    for fps, frames in ((None, 40), (12, 20), (48, 80)):
        (record,) = prepare(folder, tmp_path / f"{fps}", DataConfig(fps=fps)).records
        assert (record.frames, record.fps) == (frames, fps or 24)
