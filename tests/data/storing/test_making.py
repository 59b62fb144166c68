"""Promises about making a store: kills at any moment, two prepares at once, files that end a process."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from raysweep.data import DataConfig
from raysweep.data.decoding.decode import DecodeError, read_timed
from raysweep.data.sources.discover import discover
from raysweep.data.storing import frames
from raysweep.data.storing.making import DEATHS, LOCK, alone_in, diary, was_left
from raysweep.data.storing.manifest import read_manifest
from raysweep.data.storing.shards import whole_file
from raysweep.data.storing.store import prepare, prepare_source
from raysweep.data.storing.upkeep import checked
from raysweep.errors import DataError
from tests.data.media import BROKEN, write_image, write_video
from tests.data.stores import contents, must_not_run

CONFIG = DataConfig(resolution=32, max_bad_fraction=1)
KILLS = 15


def others(folder: Path) -> list[str]:
    """What is in a store besides its manifest and shards."""
    return sorted({path.name for path in folder.iterdir()} - {"manifest.json", "frames"})


@pytest.fixture
def footage(tmp_path):
    for seed, length in enumerate((300, 150, 40, 5)):
        write_video(tmp_path / "footage" / f"{seed}.mp4", frames=length, seed=seed)
    for name, junk in BROKEN.items():
        (tmp_path / "footage" / name).write_bytes(junk)
    return tmp_path / "footage"


KILLED_AGAIN_AND_AGAIN = """
import os, random, signal, sys, time
from pathlib import Path
from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare

footage, stores, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def child(store):
    if (process := os.fork()) == 0:
        prepare(footage, store, DataConfig(resolution=32))
        os._exit(0)
    return process

start = time.monotonic()
os.waitpid(child(stores / "whole"), 0)
whole = time.monotonic() - start
for number in range(kills):
    process = child(stores / str(number))
    time.sleep(random.uniform(0, 1.1 * whole))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
"""


def test_killed_at_any_moment_and_run_again_it_is_the_store_of_an_uninterrupted_run(
    footage, tmp_path
):
    script = [sys.executable, "-c", KILLED_AGAIN_AND_AGAIN, footage, tmp_path, str(KILLS)]
    subprocess.run(script, check=True, timeout=300)
    whole = contents(tmp_path / "whole")
    assert len(read_manifest(tmp_path / "whole").skipped) == len(BROKEN)
    for number in range(KILLS):
        prepare(footage, tmp_path / str(number), CONFIG)
        assert contents(tmp_path / str(number)) == whole
        assert others(tmp_path / str(number)) == []


def test_killed_after_the_manifest_it_is_tidied_and_not_decoded_again(footage, tmp_path):
    manifest = prepare(footage, tmp_path / "store", CONFIG)
    whole = contents(tmp_path / "store")
    (tmp_path / "store" / LOCK).touch()
    (tmp_path / "store" / ".parts-0").mkdir()
    (tmp_path / "store" / "frames" / f"{'0' * 24}.arrow").touch()
    (tmp_path / "store" / "frames" / "of somebody else").touch()
    assert prepare(footage, tmp_path / "store", CONFIG, run=must_not_run) == manifest
    assert contents(tmp_path / "store").keys() - whole.keys() == {"frames/of somebody else"}


def test_the_order_in_which_sources_finish_does_not_show(footage, tmp_path):
    prepare(footage, tmp_path / "forwards", CONFIG)
    prepare(footage, tmp_path / "backwards", CONFIG, run=lambda one, all_: map(one, all_[::-1]))
    assert contents(tmp_path / "forwards") == contents(tmp_path / "backwards")


def test_footage_that_vanished_between_a_kill_and_the_next_run_leaves_nothing(footage, tmp_path):
    def killed(one, sources):
        yield from map(one, sources[:2])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(footage, tmp_path / "store", CONFIG, run=killed)
    (footage / "0.mp4").unlink()
    prepare(footage, tmp_path / "store", CONFIG)
    prepare(footage, tmp_path / "new", CONFIG)
    assert contents(tmp_path / "store") == contents(tmp_path / "new")


def test_a_second_prepare_of_a_folder_is_refused_while_the_first_is_at_work(footage, tmp_path):
    with alone_in(tmp_path / "store"):
        assert was_left(tmp_path / "store")
        with pytest.raises(DataError, match=rf"process {os.getpid()} on .* is at work in"):
            prepare(footage, tmp_path / "store", CONFIG)
    prepare(footage, tmp_path / "store", CONFIG)


def test_a_task_left_behind_by_a_killed_prepare_writes_nothing_any_more(footage, tmp_path):
    with alone_in(tmp_path / "store") as parts:
        pass
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "store" / "x", parts):
        pass
    late = partial(
        prepare_source, folder=tmp_path / "store", settings=CONFIG.preprocessing, parts=parts
    )
    with pytest.raises(FileNotFoundError):
        late(discover(footage)[0])
    with alone_in(tmp_path / "store") as parts, whole_file(tmp_path / "store" / "x", parts) as part:
        part.write_text("half")
        with pytest.raises(FileNotFoundError), whole_file(tmp_path / "store" / "y", parts):
            parts.rename(tmp_path / "gone")  # as the next prepare does, in the middle of a write
        (tmp_path / "gone").rename(parts)
    assert not (tmp_path / "store" / "y").exists()


def test_a_file_that_ends_its_process_again_and_again_is_bad(tmp_path):
    (tmp_path / "diary").write_text("\na.mp4 b%20c.mp4 " * DEATHS)
    with diary(tmp_path / "diary") as tries:
        tries.begin("a.mp4")
        with pytest.raises(DecodeError, match="process that decoded it died, 3 times of 3"):
            tries.begin("b c.mp4")
        tries.begin("d.mp4")
    assert not (tmp_path / "diary").exists()


@pytest.mark.parametrize("change", ["added", "removed", "replaced"])
def test_an_update_is_the_store_of_the_new_footage_and_decodes_only_what_is_new(
    footage, tmp_path, change
):
    old = prepare(footage, tmp_path / "store", CONFIG)
    if change == "removed":
        (footage / "0.mp4").unlink()
    else:
        write_video(footage / ("4.mp4" if change == "added" else "1.mp4"), frames=9, seed=9)
    decoded = []

    def watched(one, sources):
        for source in sources:
            before = contents(tmp_path / "store").keys()
            yield one(source)
            decoded.extend(contents(tmp_path / "store").keys() - before)
            assert read_manifest(tmp_path / "store") == old
            assert all(shard.is_whole for shard in checked(tmp_path / "store", old))

    prepare(footage, tmp_path / "store", CONFIG, watched, update=True)
    assert len([name for name in decoded if name.endswith(".arrow")]) == (change != "removed")
    prepare(footage, tmp_path / "new", CONFIG)
    assert contents(tmp_path / "store") == contents(tmp_path / "new")


def test_an_update_keeps_the_settings(footage, tmp_path):
    prepare(footage, tmp_path / "store", CONFIG)
    other = CONFIG.model_copy(update={"encoding": "png"})
    with pytest.raises(DataError, match=r"data\.encoding stored raw, asked png"):
        prepare(footage, tmp_path / "store", other, update=True)


def test_a_damaged_shard_is_found_and_made_again(footage, tmp_path):
    manifest = prepare(footage, tmp_path / "store", CONFIG)
    whole = contents(tmp_path / "store")
    flipped, cut, gone = (tmp_path / "store" / "frames" / r.shard for r in manifest.good[:3])
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()
    found = [of.is_whole for of in checked(tmp_path / "store", manifest)]
    assert found == [False, False, False, True]
    flipped.unlink()
    prepare(footage, tmp_path / "store", CONFIG, update=True)
    assert contents(tmp_path / "store") == whole


def test_the_manifest_counts(footage, tmp_path):
    counts = prepare(footage, tmp_path / "store", CONFIG).counts
    shards = (tmp_path / "store" / "frames").glob("*.arrow")
    assert counts.model_dump() == {
        "sources": 4,
        "skipped_files": len(BROKEN),
        "frames": 495,
        "shard_bytes": sum(path.stat().st_size for path in shards),
    }


def test_images_around_one_that_ends_its_process_are_kept(tmp_path, monkeypatch):
    for number in range(4):
        write_image(tmp_path / "images" / f"{number}.png", seed=number)
    source = discover(tmp_path / "images", images=True)[0]
    fatal = source.files[1].path

    def read(path, readers, lacks):
        if path == fatal:
            raise KeyboardInterrupt  # as if the process were gone
        return read_timed(path, readers, lacks)

    monkeypatch.setattr(frames, "read_timed", read)
    settings = DataConfig(resolution=16, images=True).preprocessing
    with alone_in(tmp_path / "store") as parts:
        one = partial(prepare_source, folder=tmp_path / "store", settings=settings, parts=parts)
        for _ in range(DEATHS):
            with pytest.raises(KeyboardInterrupt):
                one(source)
        record = one(source)
    assert (record.frames, list(record.skipped_files)) == (3, [source.files[1].name])
