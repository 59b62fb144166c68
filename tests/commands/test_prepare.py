"""What `raysweep prepare` says: before it begins, on its way, and of a store that is there."""

import pytest

from raysweep.commands import progress
from raysweep.commands.store_report import NAMED, say_cost, say_neighbours, say_skipped
from raysweep.data import DataConfig
from raysweep.data.storing.manifest import Manifest, SourceRecord
from raysweep.data.storing.store import Done, prepare
from tests.data.media import BROKEN, write_image, write_video

SMALL = ["--set", "data.resolution=32"]


@pytest.fixture
def footage(folder):
    for split, seed in (("train", 1), ("train", 2), ("valid", 3)):
        write_video(folder / "footage" / split / f"{seed}.mp4", frames=30, seed=seed)
    (folder / "footage" / "train" / "bad.avi").write_bytes(BROKEN["noise.avi"])
    return folder / "footage"


def test_a_dry_run_says_what_would_be_read_and_made_and_starts_nothing(run, footage, folder):
    code, out, _ = run("prepare", "--data", footage, "--dry-run", *SMALL)
    assert code == 0
    assert "3 files .mp4" in out
    assert "1 files .avi" in out
    assert "train: 3, valid: 1" in out
    assert "about 90 frames, as 4 files claim; a store of about 276 kB" in out
    assert "runs/stores/footage-32px-" in out
    assert not (folder / "runs").exists()


def test_a_dry_run_estimates_images_and_compressed_and_resampled_frames(run, footage, folder):
    for number in range(3):
        write_image(folder / "images" / f"{number}.png", seed=number)
    said = run("prepare", "--data", "images", "--set", "data.images=true", "--dry-run", *SMALL)
    assert "about 3 images; a store of about 9.22 kB" in said.out
    said = run("prepare", "--data", footage, "--set", "data.fps=12", "--dry-run", *SMALL)
    assert "about 45 frames" in said.out
    said = run("prepare", "--data", footage, "--set", "data.encoding=jpeg", "--dry-run", *SMALL)
    assert "276 kB" not in said.out


def test_verify_reads_a_store_again_and_names_what_is_damaged(run, footage, folder):
    manifest = prepare(footage, folder / "store", DataConfig(resolution=16))
    words = ("prepare", "--set", "data.store=store", "--verify")
    assert "all 3 shards of " in run(*words).out
    (folder / "store" / "frames" / str(manifest.good[1].shard)).unlink()
    code, _, error = run(*words)
    assert code == 2
    assert "1 of 3 are not: train/2.mp4" in error
    assert "prepare --update" in error


def test_one_way_at_a_time(run, footage):
    code, _, error = run("prepare", "--data", footage, "--verify", "--update")
    assert code == 2
    assert "not allowed with" in error


def test_the_cost_of_an_encoding_is_told(footage, folder, capsys):
    made = {
        encoding: prepare(footage, folder / encoding, DataConfig(resolution=16, encoding=encoding))
        for encoding in ("raw", "png", "jpeg")
    }
    for manifest in made.values():
        say_cost(manifest)
    png, jpeg = capsys.readouterr().out.splitlines()
    assert png.startswith("  png costs nothing, ")
    assert jpeg.startswith("  jpeg 95 costs: ")
    assert " dB, " in jpeg


def test_an_encoding_that_lost_nothing_is_named(capsys):
    sizes = {"shard_bytes": 50, "frames": 1, "frame_bytes": 100}
    record = SourceRecord(name="grey.mp4", split=None, source_bytes=1, **sizes)
    settings = DataConfig(encoding="webp").preprocessing
    say_cost(Manifest(source="x", settings=settings, records=(record,)))
    assert capsys.readouterr().out == "  webp costs nothing, 2.0 times smaller\n"


def test_many_bad_files_are_a_compact_list(folder, capsys):
    write_video(folder / "footage" / "good.mp4", frames=3)
    for number in range(NAMED + 5):
        (folder / "footage" / f"{number:03}.mp4").touch()
    say_skipped(
        prepare(folder / "footage", folder / "store", DataConfig(resolution=16, max_bad_fraction=1))
    )
    *named, last = capsys.readouterr().out.splitlines()
    assert len(named) == NAMED
    assert named[0] == "  skipped 000.mp4: the file is empty"
    assert last == "  ... and 5 more, all in manifest.json"


def test_a_store_beside_another_says_what_differs(footage, folder, capsys):
    prepare(footage, folder / "stores" / "raw", DataConfig(resolution=16))
    prepare(footage / "train", folder / "stores" / "of another", DataConfig(resolution=16))
    png = prepare(footage, folder / "stores" / "png", DataConfig(resolution=16, encoding="png"))
    say_neighbours(folder / "stores" / "png", png)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("stores/raw, which differs in data.encoding (raw there)")


def done(files: int, of_files: int) -> Done:
    bad = {"error": "the file is empty"} if files == 1 else {}
    record = SourceRecord(name=str(files), split=None, source_bytes=100, frames=1000, **bad)
    return Done(record, files, of_files, 100 * files, 100 * of_files)


def test_what_was_there_before_is_told_apart():
    pace = progress.Pace(0.0)
    for files in range(1, 4):
        pace.add(done(files, 10)._replace(is_kept=files < 3), now=1.0)
    assert pace.line(done(3, 10)).startswith("3 of 10 files, 1,000 frames, 1,000 frames/s")
    assert ", 2 kept" in pace.line(done(3, 10))


def test_progress_is_a_line_now_and_then(capsys):
    with progress.shown() as show:
        for files in range(1, 1001):
            show(done(files, 1000))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == progress.TENTHS
    assert lines[0].startswith("  100 of 1,000 files, 100,000 frames, ")
    assert lines[-1].endswith("0:00:00 left, 1 bad")


def test_a_pace_is_that_of_the_last_minute():
    pace = progress.Pace(0.0)
    for files in range(1, 11):
        pace.add(done(files, 1000), now=1.0)
    for minute in range(1, 4):
        pace.add(done(10 + minute, 1000), now=1 + minute * 60)
    assert pace.line(done(13, 1000)) == (
        "13 of 1,000 files, 13,000 frames, 17 frames/s, 16:27:00 left, 1 bad"
    )
