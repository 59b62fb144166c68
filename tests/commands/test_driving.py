"""Starting, adding to and resuming an experiment, with a plain loop where Ray would be."""

import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from raysweep.cluster.resources import Capacity
from raysweep.cluster.room import Room
from raysweep.commands.footage import (
    default_store,
    prepared,
    settled,
)
from raysweep.commands.record import write_validation_facts
from raysweep.commands.standing import Standing, standing
from raysweep.comparable import Fingerprint
from raysweep.config import RunConfig
from raysweep.data import DataConfig
from raysweep.data.reading.reader import MappedReader
from raysweep.data.storing.manifest import read_manifest
from raysweep.data.storing.store import prepare
from raysweep.errors import DataError
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog
from raysweep.experiment.layout import Experiment
from raysweep.experiment.requests import ask_to_pause
from tests.data.media import write_video
from tests.fakes import by_weight, execute

SMOKE = ["sweep", "smoke", "--set", "scheduler.kind=none"]
TRAIN = ["train", "--data", "demo", "--set", "loss.perceptual_init=random"]


class Loop:
    """Executes as the cluster does; with `reports`, it is gone after so many."""

    reports: int | None = None
    at_once = 0
    """As asked for last."""

    def __call__(self, conductor: Conductor, *_: object, room: Room) -> None:
        clusters = map(conductor.cluster_of, conductor.known.open_trials())
        self.at_once = room.at_once(clusters)
        if self.reports is None:
            execute(conductor, by_weight)
            return
        for step in range(self.reports):
            if step == 0 and (proposal := conductor.propose()) is not None:
                conductor.start(proposal.trial)
            conductor.report(proposal.trial, 5 * (step + 1), {"val/psnr": 1.0})


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    from raysweep.commands import sweep

    loop = Loop()
    monkeypatch.setattr(sweep, "connected", nullcontext)
    monkeypatch.setattr(sweep, "_prepare", lambda now, run: SimpleNamespace(manifest=None))
    monkeypatch.setattr(sweep, "_resolve", lambda now, manifest, run: run)
    monkeypatch.setattr(sweep, "execute", loop)
    monkeypatch.setattr(sweep.resources, "cluster_capacity", lambda: Capacity(2, 0))
    return loop


def states(experiment: Experiment) -> list[str]:
    return [record.state for record in standing(experiment).trials.values()]


def test_a_sweep_runs_to_its_end(run, loop, folder):
    experiment = Experiment(folder / "runs" / "smoke")
    code, out, error = run(*SMOKE, "--trials", "3")
    assert (code, error) == (0, "")
    assert states(experiment) == ["finished"] * 3
    assert experiment.leaderboard.read_text().count("\n") == 4
    assert experiment.space_file == experiment.folder / "space.py"
    assert "0002  finished" in out


def test_a_space_in_yaml_is_kept_and_resumed_by_what_was_kept(run, loop, folder):
    mine = folder / "mine.yaml"
    lines = [
        "question: How much GAN?",
        "base: {loss: {perceptual_init: random}, data: {source: demo}}",
    ]
    lines += ["space:", "  loss.disc_weight: {min: 0.5, max: 0.9}"]
    mine.write_text("\n".join(lines))
    loop.reports = 1
    assert run("sweep", "mine.yaml", "--trials", "3").code == 1
    experiment = Experiment(folder / "runs" / "mine")
    assert experiment.space_file == experiment.folder / "space.yaml"
    assert experiment.space_file.read_text() == mine.read_text()
    mine.unlink()
    loop.reports = None
    assert run("resume", experiment.folder).code == 0
    trials = standing(experiment).trials.values()
    assert len(trials) == 3
    assert all(0.5 <= record.params["loss.disc_weight"] <= 0.9 for record in trials)


def test_finalists_are_trained_again_and_tested(run, loop, folder):
    split = "data={source: demo, split: time, test_fraction: 0.2}"
    words = ["--set", split, "--set", "confirm={top: 1, seeds: 2}", "--trials", "2"]
    code, out, _ = run(*SMOKE, *words)
    trials = standing(Experiment(folder / "runs" / "smoke")).trials.values()
    assert code == 0
    assert [bool(record.tested) for record in trials] == [False, False, True, True]
    assert "0003  tested     psnr" in out
    assert "confirmed on the test split" in out


def test_train_runs_one_trial_of_the_base_settings_and_no_other(run, loop, folder):
    assert run(*TRAIN, "--set", "training.steps=20").code == 0
    (trial,) = standing(Experiment(folder / "runs" / "train")).trials.values()
    assert (trial.trial, trial.state, trial.settings) == ("0000", "finished", {})


def test_train_killed_before_its_trial_was_put_in_line_is_resumed(run, loop, folder):
    assert run(*TRAIN).code == 0
    experiment = Experiment(folder / "runs" / "train")
    experiment.events.write_text("")
    assert run("resume", experiment.folder).code == 0
    assert states(experiment) == ["finished"]


def test_an_experiment_that_its_footage_refuses_leaves_its_name_free(
    run, loop, monkeypatch, folder
):
    from raysweep.commands import sweep

    def refuse(now: Standing, run: RunConfig) -> Path:
        raise DataError("data.split must leave train clips, got none. Add footage.")

    with monkeypatch.context() as patch:
        patch.setattr(sweep, "_prepare", refuse)
        assert run(*TRAIN, "--name", "x").code == 2
    assert not (folder / "runs/x").exists()
    assert run(*TRAIN, "--name", "x").code == 0


def test_an_interrupted_sweep_says_how_to_go_on_and_does(run, loop, folder):
    loop.reports = 2
    code, _, error = run(*SMOKE)
    assert code == 1
    assert "raysweep resume" in error
    loop.reports = None
    assert run("resume", "runs/smoke").code == 0
    assert states(Experiment(folder / "runs" / "smoke")) == ["finished"] * 4


def test_a_paused_sweep_is_no_failure_and_goes_on_with_unpause(run, loop, folder):
    """Asked for before the first trial, and taken in by the driver; then by one that has just begun."""
    loop.reports = 2
    run(*SMOKE)
    experiment = Experiment(folder / "runs" / "smoke")
    with EventLog(experiment.events) as log:
        log.append("suspended", "")
    loop.reports = None
    code, out, _ = run("unpause", experiment.folder)
    assert (code, states(experiment)) == (0, ["finished"] * 4)
    assert "paused by hand" not in out


def test_a_driver_that_is_asked_to_pause_ends_well(run, loop, folder, monkeypatch):
    experiment = Experiment(folder / "runs" / "smoke")

    def begin(conductor: Conductor, *_: object, room: Room) -> None:
        ask_to_pause(experiment.requests)
        execute(conductor, by_weight)

    with monkeypatch.context() as patch:
        patch.setattr("raysweep.commands.sweep.execute", begin)
        code, out, _ = run(*SMOKE)
    assert code == 0
    assert "paused by hand; to go on: `raysweep unpause" in out
    assert run("unpause", experiment.folder).code == 0
    assert states(experiment) == ["finished"] * 4


def test_a_sweep_interrupted_before_its_first_trial_says_so_too(run, loop):
    loop.reports = 0
    code, _, error = run(*SMOKE)
    assert code == 1
    assert "raysweep resume" in error
    loop.reports = None
    assert run("resume", "runs/smoke").code == 0


def test_the_winner_is_trained_again_beside_the_others(run, loop, folder):
    run(*SMOKE)
    experiment = Experiment(folder / "runs" / "smoke")
    winner = standing(experiment).trial("best")
    assert run("train", "--from", experiment.folder, "--set", "training.steps=77").code == 0
    added = list(standing(experiment).trials.values())[-1]
    assert added.origin == f"from {winner.trial}"
    assert added.settings == {**winner.settings, "training.steps": 77}


def test_a_resumed_trial_that_takes_more_than_the_others_leaves_room_for_fewer(run, loop, folder):
    loop.reports = 1
    run(*SMOKE)
    assert loop.at_once == 2
    experiment = Experiment(folder / "runs" / "smoke")
    changes = {"cluster.workers": 2, "cluster.trainable": "distributed"}
    run("train", "--from", experiment.folder, *(f"--set={p}={v}" for p, v in changes.items()))
    assert loop.at_once == 1
    assert run("resume", experiment.folder).code == 1
    assert loop.at_once == 1


def test_a_resumed_experiment_whose_footage_is_gone_is_refused_before_ray(run, loop, folder):
    run(*SMOKE)
    sweep_file = folder / "runs" / "smoke" / "sweep.yaml"
    sweep_file.write_text(sweep_file.read_text().replace("source: demo", "source: gone"))
    code, _, error = run("resume", "runs/smoke")
    assert code == 2
    assert "gone" in error


def test_a_resumed_experiment_whose_store_is_finished_needs_its_source_no_more(run, loop, folder):
    videos, runs = folder / "videos", folder / "runs"
    for name in ("a.mp4", "b.mp4"):
        write_video(videos / name)
    loop.reports = 1
    run(*SMOKE, "--data", "videos")
    experiment = Experiment(runs / "smoke")
    experiment.validation_file.write_text('{"mean_colour_psnr": 10.0}')
    data = standing(experiment).sweep.run().data
    prepare(videos, default_store(data, runs), data)
    shutil.rmtree(videos)
    loop.reports = None
    assert run("resume", experiment.folder).code == 0
    store = prepared(settled(data, experiment), runs)
    assert len(read_manifest(store).good) == 2


def test_a_run_that_nothing_validates_says_what_it_trains_on(folder):
    write_video(folder / "videos" / "a.mp4")
    data = DataConfig(source="videos", split="none", resolution=16, clip_length=4)
    store, facts = default_store(data, folder / "runs"), folder / "facts.json"
    manifest = prepare("videos", store, data)
    reader, record = MappedReader(store, manifest), Fingerprint(frames="0")
    assert write_validation_facts(reader, manifest, data, record, facts) == {
        "train_clips": 10,
        "validation_clips": 0,
        "validation_frames": 0,
        "test_clips": 0,
        "too_short_sources": 0,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"source": ("videos", "more")},
        {"source": "more"},
        {"source": "vide*"},
        {"source": "s3://films/videos"},
        {"frame_folders": True},
        {"validation_source": "more"},
        {"images": True},
        {"resolution": 64},
    ],
    ids=str,
)
def test_other_footage_is_another_store(folder, change):
    data = DataConfig(source="videos")
    stores = {default_store(d, folder) for d in (data, data.model_copy(update=change))}
    assert len(stores) == 2
    assert default_store(DataConfig(source=str(folder / "videos")), folder) in stores


def test_a_second_driver_is_refused(run, loop, swept):
    from raysweep.experiment.events import EventLog

    with EventLog(swept.events):
        code, _, error = run("resume", swept.folder)
    assert code == 2
    assert "one driver at a time" in error


def test_a_finished_sweep_is_extended_by_trials_and_by_steps(run, loop, folder):
    experiment = Experiment(folder / "runs" / "smoke")
    assert run(*SMOKE, "--trials", "2").code == 0
    asked = experiment.sweep_file.read_text()
    assert run("resume", experiment.folder, "--trials", "1").code == 0
    assert states(experiment) == ["finished"] * 3
    assert run("resume", experiment.folder, "--steps", "40").code == 0
    now = standing(experiment)
    assert [record.last_step for record in now.trials.values()] == [40] * 3
    assert now.sweep.run().training.steps == 40
    assert experiment.sweep_file.read_text() == asked


def test_an_extension_says_how_many_run_at_once(run, loop, folder):
    run(*SMOKE, "--trials", "1")
    limit = "budget.max_concurrent=1"
    assert loop.at_once == 2
    assert run("resume", "runs/smoke", "--trials", "1", "--set", limit).code == 0
    assert loop.at_once == 1


def test_what_a_cosine_becomes_is_said(run, loop, folder):
    run(*SMOKE, "--trials", "1", "--set", "training.schedule=cosine")
    out = run("resume", "runs/smoke", "--steps", "40", "--trials", "1").out
    assert "the cosine is that of 40 steps" in out
    assert "take 0.55 of training.learning_rate" in out


def test_what_was_asked_without_a_driver_is_honoured_on_resuming(run, loop, folder):
    loop.reports = 1
    run(*SMOKE, "--trials", "2")
    experiment = Experiment(folder / "runs" / "smoke")
    assert run("stop", experiment.folder, "--trial", "0000").code == 0
    assert run("enqueue", experiment.folder, "--set", "loss.disc_weight=0.25").code == 0
    loop.reports = None
    code, out, _ = run("resume", experiment.folder)
    assert code == 0
    assert "0000  stopped    stopped by hand at step 5" in out
    assert states(experiment) == ["stopped", "finished", "finished"]
    assert [r.origin for r in standing(experiment).trials.values()][1] == "enqueued"
