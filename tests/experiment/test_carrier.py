"""Promises about a trial's folder on an object store: it comes back as it was sent, and no checkpoint is ever half."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from raysweep.errors import ExperimentError, StorageError
from raysweep.experiment.bucket import Bucket
from raysweep.experiment.carrier import Carried, carrier, current, fetch_kept, read_kept
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import located, on_this_node


def lay_checkpoint(folder: Path, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps({"step": step, "metrics": {}}))
    (folder / "state.pt").write_text(f"state of step {step}")


def laid(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_text() for file in files}


@pytest.fixture
def bucket(s3) -> Bucket:
    return Bucket(s3.address(f"{s3.new_bucket()}/runs/x/trials/0000"))


@pytest.fixture
def trial(bucket, tmp_path) -> Path:
    """A trial that has validated at steps 5 and 10, of which 5 was better, and sent that."""
    folder = tmp_path / "here"
    folder.mkdir()
    sender = Carried(bucket, folder)
    sender.fetch()
    for step in (5, 10):
        if step == 10:
            for file in (folder / "checkpoint_000000005").iterdir():
                file.unlink()
        lay_checkpoint(folder / f"checkpoint_{step:09d}", step)
        if step == 5:
            lay_checkpoint(folder / "best" / "psnr", step)
        (folder / "metrics.jsonl").write_text(f"up to {step}")
        (folder / ".lock").touch()
        sender.send()
    return folder


def test_a_folder_comes_back_as_it_was_sent(bucket, trial, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    (there / ".lock").write_text("held")
    lay_checkpoint(there / "checkpoint_000000099", 99)  # of a turn that another node has overtaken
    Carried(bucket, there).fetch()
    assert laid(there) == {**laid(trial), ".lock": "held"}


def test_the_last_checkpoint_stays_and_those_before_it_go(bucket, trial):
    assert sorted(bucket.held()) == [
        ".turn",
        "best/psnr@000000005/metrics.json",
        "best/psnr@000000005/state.pt",
        "checkpoint_000000010/metrics.json",
        "checkpoint_000000010/state.pt",
        "metrics.jsonl",
    ]


def test_what_did_not_change_is_not_sent_again(bucket, trial, tmp_path):
    before = bucket.held()
    there = tmp_path / "there"
    there.mkdir()
    again = Carried(bucket, there)
    again.fetch()
    (there / "metrics.jsonl").write_text("up to 15")
    bucket.delete(["checkpoint_000000010/state.pt"])  # which would show
    again.send()
    assert before.keys() - bucket.held().keys() == {"checkpoint_000000010/state.pt"}


class Killed(Bucket):
    """Changes so many objects, and then no more."""

    left = 0

    def upload(self, files):
        for name, file in files.items():
            self._spend()
            super().upload({name: file})

    def delete(self, names):
        for name in list(names):
            self._spend()
            super().delete([name])

    def _spend(self):
        if self.left == 0:
            raise StorageError("killed")
        self.left -= 1


@pytest.mark.parametrize("changes", range(10))
def test_whenever_the_sender_is_killed_a_whole_last_and_a_whole_best_are_there(
    bucket, trial, tmp_path, changes
):
    """The one before, or the new one, of both; and what is left of a torn one goes with the next that is sent."""
    Killed.left = changes
    folder = tmp_path / "second"
    folder.mkdir()
    sender = Carried(Killed(bucket.address), folder)
    sender.fetch()
    for name in ("checkpoint_000000010", "best/psnr"):
        for file in (folder / name).iterdir():
            file.unlink()
    lay_checkpoint(folder / "checkpoint_000000015", 15)
    lay_checkpoint(folder / "best" / "psnr", 15)
    with pytest.raises(StorageError) if changes < 8 else nullcontext():
        sender.send()

    third = tmp_path / "third"
    third.mkdir()
    receiver = Carried(bucket, third)
    receiver.fetch()
    for place in ("checkpoint_*", "best/psnr"):
        whole = max(third.glob(place))
        step = json.loads((whole / "metrics.json").read_text())["step"]
        assert step in (10 if place[0] == "c" else 5, 15)
        assert (whole / "state.pt").read_text() == f"state of step {step}"
    receiver.send()
    assert sorted(bucket.held()) == sorted(current(bucket.held()))


def test_a_process_sends_no_more_once_another_has_fetched_the_folder(bucket, trial, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    one, other = Carried(bucket, trial), Carried(bucket, there)
    one.fetch()
    other.fetch()
    (trial / "metrics.jsonl").write_text("up to 15")
    with pytest.raises(ExperimentError, match="another one has begun since"):
        one.send()
    other.send()
    assert (there / "metrics.jsonl").read_text() == "up to 10"


def test_what_an_export_needs_comes_alone(s3, trial, tmp_path):
    experiment = located(s3.address(f"{s3.new_bucket()}/runs"), "x")
    here = on_this_node(experiment)
    folder, sender = here.trial("0000"), carrier(here, "0000")
    folder.mkdir(parents=True)
    sender.fetch()
    lay_checkpoint(folder / "best" / "psnr", 5)
    lay_checkpoint(folder / "checkpoint_000000010", 10)
    (folder / "reconstructions").mkdir()
    for step in (5, 10):
        name = f"val-reconstruction-{step:08d}.png"
        (folder / "reconstructions" / name).write_text(str(step))
    sender.send()
    fetch_kept(experiment, "0000")
    assert sorted(laid(experiment.trial("0000"))) == [
        "best/psnr/metrics.json",
        "best/psnr/state.pt",
        "reconstructions/val-reconstruction-00000005.png",
    ]


@pytest.mark.parametrize("is_remote", [True, False])
def test_what_a_kept_checkpoint_measured_is_read_where_it_is_now(s3, tmp_path, is_remote):
    storage = s3.address(f"{s3.new_bucket()}/runs") if is_remote else str(tmp_path)
    experiment = located(storage, "x")
    here = on_this_node(experiment)
    folder, sender = here.trial("0000"), carrier(here, "0000")
    folder.mkdir(parents=True)
    sender.fetch()
    for step in (5, 10):
        lay_checkpoint(folder / "best" / "psnr", step)
        sender.send()
        assert json.loads(read_kept(experiment, "0000", "val/psnr"))["step"] == step
    for trial, metric in (("0000", "val/ssim"), ("0001", "val/psnr")):
        with pytest.raises(ExperimentError, match=f"no checkpoint kept for {metric}"):
            read_kept(experiment, trial, metric)


def test_a_folder_that_all_nodes_share_is_left_alone(tmp_path):
    experiment = Experiment(tmp_path)
    lay_checkpoint(experiment.trial("0000") / "best" / "psnr", 5)
    before = laid(tmp_path)
    shared = carrier(experiment, "0000")
    shared.fetch()
    shared.send()
    fetch_kept(experiment, "0000")
    assert laid(tmp_path) == before
    assert on_this_node(experiment) == experiment
