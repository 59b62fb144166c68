"""Promises about folders of codes: the model's codes, interrupted or not, of one job, on disks and object stores."""

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import torch

from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.discover import discover
from raysweep.data.storing.manifest import SourceRecord
from raysweep.errors import ConfigError, DataError, ResourceError
from raysweep.pretrained import Pretrained, load
from raysweep.tokens.coding import packed, unpacked
from raysweep.tokens.job import job
from raysweep.tokens.making import Begin, Plan, Run, complete, plan
from raysweep.tokens.manifest import Tokens
from raysweep.tokens.output import TOKENIZE, output
from raysweep.tokens.shards import Shard
from tests.data.media import write_image, write_video
from tests.s3_server import Server
from tests.tokens.conftest import BAD, LENGTHS, exported

SMALL = Preprocessing(resolution=32)
pytestmark = pytest.mark.usefixtures("_small_shards")


def in_this_process(model: Pretrained) -> Run:
    return lambda begin, shards: map(begin(model), shards)


def planned(model: Pretrained, footage: Path, out: object, settings: Preprocessing = SMALL) -> Plan:
    frame_folders, images = settings.frame_folders, settings.images
    sources = discover(footage, "none", images=images, frame_folders=frame_folders)
    return plan(job(model, settings, sources), sources, output(str(out)))


def coded(model: Pretrained, footage: Path, out: object, settings: Preprocessing = SMALL) -> Tokens:
    asked = planned(model, footage, out, settings)
    return complete(asked, str(footage), in_this_process(model), max_bad_fraction=0.9)


def rows_of(out: Path) -> pa.Table:
    return ds.dataset(out / "codes", format="parquet").to_table()


def files_of(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def test_rows_are_the_models_codes_of_every_frame_in_order(model, footage, tmp_path):
    tokenizer = load(model)
    coded(tokenizer, footage, tmp_path)
    table = rows_of(tmp_path)
    expected = [(name, number) for name, frames in LENGTHS.items() for number in range(frames)]
    assert [(row["source"], row["frame"]) for row in table.to_pylist()] == expected
    for name in LENGTHS:
        of_one = table.filter(ds.field("source") == name).combine_chunks()
        ids = of_one["codes_0"].chunk(0).flatten().to_numpy().reshape(-1, 8, 8)
        np.testing.assert_array_equal(ids, tokenizer.encode_video(footage / name)[0])


def test_what_the_folder_says_of_itself(model, footage, tmp_path):
    tokens = coded(load(model), footage, tmp_path)
    said = json.loads((tmp_path / "tokens.json").read_text())
    assert said["frames"] == sum(LENGTHS.values())
    skipped = {record["name"] for record in said["records"] if "error" in record}
    assert skipped == set(BAD)
    names = sorted(path.name for path in (tmp_path / "codes").iterdir())
    assert {record.shard for record in tokens.footage.good} == {*names[:-1]}  # the last has no row
    for name in names:
        note = json.loads(pq.read_metadata(tmp_path / "codes" / name).metadata[b"raysweep"])
        assert note["job"] == said["job"]
        of_file = [record for record in said["records"] if record.get("shard") == name]
        assert [r["name"] for r in note["records"] if not r["error"]] == [
            r["name"] for r in of_file
        ]


def test_a_second_run_has_nothing_to_do(model, footage, tmp_path):
    tokens = coded(load(model), footage, tmp_path)
    again = planned(load(model), footage, tmp_path)
    assert (again.ended, again.missing) == (tokens, [])


class Killed(BaseException):
    """As if the process were gone."""


def test_a_gpu_without_room_is_told_in_a_line(model, footage, tmp_path):
    def encode(frames: object) -> Any:
        raise torch.OutOfMemoryError

    tokenizer = load(model)
    tokenizer.encode = encode  # type: ignore[method-assign]
    with pytest.raises(ResourceError, match=r"32 frames of 32 px .* with --gpus 1"):
        coded(tokenizer, footage, tmp_path)


def killed_after(count: int, model: Pretrained) -> Callable[..., Iterator[Sequence[SourceRecord]]]:
    """Whole shards; dies while it writes the next one."""

    def run(begin: Begin, shards: Sequence[Shard]) -> Iterator[Sequence[SourceRecord]]:
        yield from map(begin(model), shards[:count])
        dying = Pretrained(model.tokenizer, model.config, model.device)
        dying.encode = _die  # type: ignore[method-assign]
        yield from map(begin(dying), shards[count:])

    return run


def _die(frames: object) -> Any:
    raise Killed


@pytest.mark.parametrize("count", [0, 1, 2])
def test_killed_and_run_again_it_does_the_rest_and_all_is_as_uninterrupted(
    model, footage, tmp_path, count
):
    tokenizer = load(model)
    coded(tokenizer, footage, tmp_path / "whole")
    asked = planned(tokenizer, footage, tmp_path / "out")
    with pytest.raises(Killed):
        complete(asked, str(footage), killed_after(count, tokenizer), max_bad_fraction=0.9)
    left = planned(tokenizer, footage, tmp_path / "out")
    assert (left.ended, len(left.missing)) == (None, len(asked.shards) - count)
    coded(tokenizer, footage, tmp_path / "out")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_killed_before_the_manifest_it_is_written_without_coding(model, footage, tmp_path):
    tokenizer = load(model)
    coded(tokenizer, footage, tmp_path)
    whole = files_of(tmp_path)
    (tmp_path / "tokens.json").unlink()
    complete(planned(tokenizer, footage, tmp_path), str(footage), must_not_run, 0.9)
    assert files_of(tmp_path) == whole


def must_not_run(begin: Begin, shards: Sequence[Shard]) -> Any:
    raise AssertionError("nothing was left to do")


def test_a_file_that_was_lost_is_made_again_alone(model, footage, tmp_path):
    tokenizer = load(model)
    coded(tokenizer, footage, tmp_path)
    whole = files_of(tmp_path)
    lost = sorted((tmp_path / "codes").iterdir())[1]
    lost.unlink()
    assert [shard.name for shard in planned(tokenizer, footage, tmp_path).missing] == [lost.name]
    coded(tokenizer, footage, tmp_path)
    assert files_of(tmp_path) == whole


@pytest.mark.parametrize("has_ended", [True, False])
def test_other_jobs_are_refused_by_what_differs(model, footage, tmp_path, has_ended):
    tokenizer, out = load(model), tmp_path / "out"
    coded(tokenizer, footage, out)
    if not has_ended:
        (out / "tokens.json").unlink()
    whole = files_of(out)
    other = load(exported(tmp_path / "other", {"seed": 1}))
    with pytest.raises(DataError, match=r"the model is \w{12} there, \w{12} here\. Name an"):
        planned(other, footage, out)
    with pytest.raises(DataError, match=r"data\.fps is None there, 12\.0 here"):
        planned(tokenizer, footage, out, SMALL.model_copy(update={"fps": 12.0}))
    with pytest.raises(DataError, match=r"footage is 7 files of .*there, 2 files of .* here"):
        planned(tokenizer, footage / "a", out)
    assert files_of(out) == whole


def test_the_same_model_exported_elsewhere_is_the_same(model, footage, tmp_path):
    tokens = coded(load(model), footage, tmp_path / "out")
    again = exported(tmp_path / "again", {"training.steps": 9})
    config = json.loads((again / "config.json").read_text())
    config["model"]["checkpoint"] = "where/it/began.ckpt"
    (again / "config.json").write_text(json.dumps(config))
    assert planned(load(again), footage, tmp_path / "out").ended == tokens


def test_what_a_store_would_encode_and_crop_is_no_other_job(model, footage):
    of_a_store = SMALL.model_copy(update={"crop": "random", "encoding": "jpeg", "quality": 50})
    sources, tokenizer = discover(footage, "none"), load(model)
    assert job(tokenizer, of_a_store, sources) == job(tokenizer, SMALL, sources)


def test_files_of_somebody_else_are_left_alone(model, footage, tmp_path):
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "thesis.parquet").write_text("years of work")
    with pytest.raises(DataError, match=r"files that `raysweep tokenize` wrote.*thesis"):
        planned(load(model), footage, tmp_path)
    assert (tmp_path / "codes" / "thesis.parquet").read_text() == "years of work"


def test_a_torn_file_is_named(model, footage, tmp_path):
    coded(load(model), footage, tmp_path)
    (tmp_path / "tokens.json").unlink()
    torn = min((tmp_path / "codes").iterdir())
    torn.write_bytes(torn.read_bytes()[:-9])
    with pytest.raises(DataError, match=f"whole, and .*{torn.name} is none. Delete it"):
        planned(load(model), footage, tmp_path)


def test_one_run_at_a_time(model, footage, tmp_path):
    with output(str(tmp_path)).alone(), pytest.raises(DataError, match=f"one {TOKENIZE.name} at a"):
        coded(load(model), footage, tmp_path)


def test_too_many_bad_files_are_refused_and_what_was_coded_stays(model, footage, tmp_path):
    asked = planned(load(model), footage, tmp_path)
    with pytest.raises(DataError, match=r"lets 0\.1 of the files be bad, got 3 of 7"):
        complete(asked, str(footage), in_this_process(load(model)), max_bad_fraction=0.1)
    assert planned(load(model), footage, tmp_path).missing == []


def test_a_video_that_breaks_off_leaves_no_row_unless_that_is_kept(model, tmp_path):
    whole = write_video(tmp_path / "films" / "b.avi", frames=60, codec="MJPG").read_bytes()
    (tmp_path / "films" / "b.avi").write_bytes(whole[: len(whole) // 2])
    for name in ("a.avi", "c.avi"):
        (tmp_path / "films" / name).write_bytes(whole)
    tokens = coded(load(model), tmp_path / "films", tmp_path / "strict")
    assert set(rows_of(tmp_path / "strict")["source"].to_pylist()) == {"a.avi", "c.avi"}
    assert "breaks off" in tokens.footage.skipped[0].error
    keeping = SMALL.model_copy(update={"keep_partial": True})
    coded(load(model), tmp_path / "films", tmp_path / "kept", keeping)
    assert rows_of(tmp_path / "kept").filter(ds.field("source") == "b.avi").num_rows > 10


def test_frames_at_another_rate_say_which_they_are(model, tmp_path):
    write_video(tmp_path / "films" / "a.mp4", frames=24)  # of 24 frames per second
    coded(load(model), tmp_path / "films", tmp_path / "out", SMALL.model_copy(update={"fps": 8.0}))
    table = rows_of(tmp_path / "out").to_pydict()
    assert table["frame"] == list(range(8))
    assert table["source_frame"] == list(range(0, 24, 3))
    assert table["seconds"] == pytest.approx([number / 8 for number in range(8)], abs=1e-3)


def test_hard_cuts_are_counted(model, tmp_path):
    for number in range(6):
        write_image(tmp_path / "films" / "a" / f"{number}.png", seed=4 * (number // 3))
    settings = SMALL.model_copy(update={"frame_folders": True})
    coded(load(model), tmp_path / "films", tmp_path / "out", settings)
    table = rows_of(tmp_path / "out").to_pydict()
    assert table["scene"] == [0, 0, 0, 1, 1, 1]
    assert table["source"] == ["a"] * 6
    assert table["seconds"] == [None] * 6


def test_images_are_rows_under_their_own_names(model, tmp_path):
    for number in range(3):
        write_image(tmp_path / "stills" / f"{number}.png", seed=number)
    coded(
        load(model),
        tmp_path / "stills",
        tmp_path / "out",
        Preprocessing(resolution=32, images=True),
    )
    table = rows_of(tmp_path / "out").to_pydict()
    assert sorted(table["source"]) == ["0.png", "1.png", "2.png"]
    assert (table["frame"], table["scene"]) == ([0] * 3, [0] * 3)


def test_frames_that_the_model_cannot_take_are_refused(model, footage, tmp_path):
    with pytest.raises(ConfigError, match="multiples of 4"):
        planned(load(model), footage, tmp_path, Preprocessing(resolution=33))


def sent_away(model: Pretrained) -> Callable[..., Iterator[Sequence[SourceRecord]]]:
    """As to a worker on another machine."""

    def run(begin: Begin, shards: Sequence[Shard]) -> Iterator[Sequence[SourceRecord]]:
        there = unpacked(pickle.loads(pickle.dumps(packed(model))), "cpu")
        return map(pickle.loads(pickle.dumps(begin))(there), pickle.loads(pickle.dumps(shards)))

    return run


def test_on_an_object_store_it_is_the_same(model, footage, tmp_path, s3: Server):
    tokenizer = load(model)
    coded(tokenizer, footage, tmp_path / "whole")
    bucket = s3.new_bucket()
    address = s3.address(f"{bucket}/my/codes")
    asked = planned(tokenizer, footage, address)
    with pytest.raises(Killed):
        complete(asked, str(footage), killed_after(1, tokenizer), max_bad_fraction=0.9)
    assert len(s3.names(f"{bucket}/my/codes")) == 1
    asked = planned(tokenizer, footage, address)
    tokens = complete(asked, str(footage), sent_away(tokenizer), max_bad_fraction=0.9)
    read = ds.dataset(f"{bucket}/my/codes/codes", format="parquet", filesystem=s3.file_system)
    assert read.to_table() == rows_of(tmp_path / "whole")
    assert planned(tokenizer, footage, address).ended == tokens
    with pytest.raises(DataError, match=r"holds others: data\.fps"):
        planned(tokenizer, footage, address, SMALL.model_copy(update={"fps": 12.0}))
