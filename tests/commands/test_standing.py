"""Looking at an experiment, choosing from it, and adding to it: from its files alone."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from raysweep.commands.narrator import Narrator
from raysweep.commands.plan import check_further
from raysweep.commands.standing import further, standing
from raysweep.errors import ConfigError, ExperimentError
from raysweep.experiment.conductor import Proposal
from raysweep.experiment.events import EventLog
from raysweep.experiment.layout import Experiment, create, open_experiment
from raysweep.tracking import ADDRESSES
from raysweep.training import checkpoint
from tests.fakes import driver, execute, small_sweep
from tests.tiny import tiny_parts


def test_status_lists_every_trial_best_first(run, swept):
    swept.validation_file.write_text(json.dumps({"mean_colour_psnr": 12.345}))
    code, out, _ = run("status", swept.folder)
    assert code == 0
    assert "by val/psnr, higher is better" in out
    assert "12.35 dB" in out or "12.34 dB" in out
    ids = [line.split()[1] for line in out.splitlines() if " 00" in line]
    assert ids[0] == "0006"
    assert sorted(ids) == [f"{number:04d}" for number in range(7)]


@pytest.mark.parametrize(("name", "file"), ADDRESSES.items())
def test_status_says_where_a_trial_is_seen_in_a_browser(run, swept, name, file):
    address = swept.trial("0002") / file
    address.parent.mkdir(parents=True)
    address.write_text("https://pages.example/runs/1")
    assert f"0002 in {name}: https://pages.example/runs/1\n" in run("status", swept.folder).out


def test_status_of_an_experiment_that_has_not_begun(run, swept):
    swept.events.unlink()
    assert run("status", swept.folder).code == 0


def test_status_says_how_long_a_driver_that_is_at_work_still_takes(run, swept):
    """By the events of two trials of six, which a driver made that began a minute ago."""
    lines = swept.events.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["trial"] in ("0000", "0001")]
    opened = {"kind": "opened", "trial": "", "time": json.loads(kept[-1])["time"] - 60}
    swept.events.write_bytes(json.dumps(opened).encode() + b"\n" + b"".join(kept))
    assert "left, at" not in run("status", swept.folder).out
    with EventLog(swept.events):
        assert " left, at 0." in run("status", swept.folder).out


@pytest.mark.parametrize("torn", [b'{"kind": "rep', b"\xc3"])
def test_status_while_a_line_is_being_written(run, swept, torn):
    swept.events.write_bytes(swept.events.read_bytes() + torn)
    assert run("status", swept.folder).code == 0


def test_best_is_the_first_of_the_leaderboard(swept):
    assert standing(swept).trial("best").trial == "0006"
    assert standing(swept).trial("0003").trial == "0003"


RANKED = [
    (
        {"objective": ["psnr", "lpips"]},
        "by val/psnr, higher is better, and val/lpips_random, lower is better; * is on the Pareto front",
        [],
    ),
    (
        {"objective": {"lpips": 20, "psnr": 1, "code_usage": 0.5}, "constraints": ["psnr >= 9"]},
        "by - 20 val/lpips_random + val/psnr + 0.5 val/code_usage, higher is better; with val/psnr >= 9",
        ["score", "breaks"],
    ),
    (
        {"objective": "entropy_bits_per_pixel"},
        "by val/entropy_bits_per_pixel, lower is better",
        ["entropy_bits_per_pixel"],
    ),
]


def traded(proposal: Proposal, step: int) -> dict[str, float]:
    """The later trials are better in the one and worse in the other; the last is worse in both."""
    number = int(proposal.trial)
    return {
        "val/psnr": step / 10 + 4.0 * number * (number < 3),
        "val/lpips_random": 0.5 + 0.1 * number,
        "val/code_usage": 1.0,
        "val/entropy_bits_per_pixel": 0.25,
    }


@pytest.fixture
def ranked(folder) -> Callable[..., Experiment]:
    """runs/ranked, played through: four trials, none stopped, ranked as asked."""

    def make(**asked: object) -> Experiment:
        experiment = Experiment(folder / "runs" / "ranked")
        sweep = small_sweep(scheduler={"min_peers": 9}, budget={"trials": 4}, **asked)
        create(experiment, yaml.safe_dump(sweep.model_dump(mode="json"), sort_keys=False), None)
        with driver(experiment.events, sweep, objective=standing(experiment).objective) as mind:
            mind.listener = Narrator(mind.objective)
            execute(mind, traded)
        return experiment

    return make


@pytest.mark.parametrize(("asked", "title", "headings"), RANKED)
def test_status_says_what_ranks_and_shows_it(run, ranked, asked, title, headings):
    out = " ".join(run("status", ranked(**asked).folder).out.split())
    assert title in out
    assert [heading for heading in headings if f"┃ {heading}" not in out] == []


def test_status_marks_the_front_and_what_breaks_a_constraint(run, ranked):
    experiment = ranked(objective=["psnr", "lpips"], constraints=["psnr >= 4"])
    rows = [
        line for line in run("status", experiment.folder).out.splitlines() if "finished " in line
    ]
    assert [line.split()[1] for line in rows] == ["0002", "0001", "0000", "0003"]
    assert ["│ *" in line for line in rows] == [True, True, False, False]
    assert ["val/psnr >= 4" in line for line in rows] == [False, False, True, True]


def test_the_figures_that_rank_are_told_as_they_come(capsys, ranked):
    ranked(objective={"psnr": 1, "lpips": 2}, constraints=["entropy_bits_per_pixel <= 1"])
    figures = (
        "score 1.000, psnr 2.000, lpips_random 0.500, entropy_bits_per_pixel 0.250, code_usage"
    )
    assert f"0000  step 20    {figures} 1.000\n" in capsys.readouterr().out


def test_a_pause_and_what_follows_are_told(capsys, folder):
    scheduler = {"kind": "promoting", "reduction_factor": 2, "min_peers": 2}
    with driver(folder / "events.jsonl", small_sweep(scheduler=scheduler)) as mind:
        mind.listener = Narrator(mind.objective)
        execute(mind, traded)
    out = capsys.readouterr().out
    assert "0000  paused     not among the best at step 5\n" in out
    assert "goes on    from step 5\n" in out


def keep(experiment: Experiment, *trials: str) -> None:
    for trial in trials:
        parts = tiny_parts({"model.ch": 32, "discriminator.norm": "batch"})
        best = experiment.best_checkpoint(trial, "latest")
        checkpoint.save(best, parts.state, {"val/psnr": float(trial)}, parts.settings)


def test_of_several_goals_the_best_is_on_the_front_and_first_in_the_first(run, ranked):
    experiment = ranked(objective=["psnr", "lpips"])
    keep(experiment, "0002")
    assert standing(experiment).trial("best").trial == "0002"
    code, out, _ = run("export", experiment.folder)
    assert code == 0
    assert f"exported trial 0002 to {experiment.folder / 'best'}" in out
    assert checkpoint.saved_metrics(experiment.folder / "best") == {"val/psnr": 2.0}
    code, out, _ = run("train", "--from", experiment.folder, "--dry-run")
    wanted = standing(experiment).trials["0002"].settings["loss.disc_start"]
    assert f"disc_start: {wanted}" in out


@pytest.mark.parametrize("form", ["folder", "taming"])
def test_the_front_is_exported_a_trial_each(run, ranked, form):
    experiment = ranked(objective=["lpips", "psnr"])
    keep(experiment, "0000", "0001", "0002", "0003")
    code, _, _ = run("export", experiment.folder, "--trial", "pareto", "--format", form)
    assert code == 0
    home, suffix = experiment.folder / "pareto", "" if form == "folder" else ".ckpt"
    trials = ["0000", "0001", "0002"]
    assert {path.name for path in home.iterdir()} == {"front.csv", *(t + suffix for t in trials)}
    listed = (home / "front.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in listed] == ["trial", *trials]


def test_an_export_of_what_breaks_a_constraint_says_so(run, ranked):
    experiment = ranked(objective=["psnr", "lpips"], constraints=["psnr >= 99"])
    keep(experiment, "0002")
    code, out, _ = run("export", experiment.folder)
    assert code == 0
    assert "trial 0002 breaks val/psnr >= 99\n" in out
    code, _, error = run("export", experiment.folder, "--trial", "pareto")
    assert code == 2
    assert "the Pareto front is of several objectives" in error


@pytest.mark.parametrize("command", ["export", "train"])
def test_a_trial_that_is_not_there_names_those_that_are(run, swept, command):
    words = ["export"] if command == "export" else ["train", "--from"]
    code, _, error = run(*words, swept.folder, "--trial", "0042")
    assert code == 2
    assert "'0042'" in error
    assert "0000, 0001" in error


@pytest.mark.parametrize("words", [["export"], ["train", "--from"]], ids=str)
def test_no_best_before_the_first_validation(run, swept, words):
    swept.events.unlink()
    code, _, error = run(*words, swept.folder)
    assert code == 2
    assert "no trial has a validation yet" in error


def test_an_export_never_takes_the_place_of_anything_but_an_export(run, swept, folder):
    swept.best_checkpoint("0006", "val/psnr").mkdir(parents=True)
    (folder / "home").mkdir()
    (folder / "home" / "thesis.tex").write_text("years of work")
    (folder / "file").write_text("")
    for out in ("home", "file"):
        code, _, error = run("export", swept.folder, "--out", out)
        assert code == 2
        assert "holds something else" in error
    assert (folder / "home" / "thesis.tex").read_text() == "years of work"


def test_an_export_for_public_code_is_one_file_that_a_run_can_start_from(run, swept, folder):
    parts = tiny_parts({"model.ch": 32, "discriminator.norm": "batch"})
    best = swept.best_checkpoint("0006", "val/psnr")
    checkpoint.save(best, parts.state, {"val/psnr": 20.0}, parts.settings)
    code, out, _ = run("export", swept.folder, "--format", "taming")
    file = swept.folder / "best.ckpt"
    assert code == 0
    assert f"exported trial 0006 to {file}, with its discriminator" in out
    (folder / "run.yaml").write_text(yaml.safe_dump(parts.settings))
    words = ["train", "--config", "run.yaml", "--data", "demo", "--dry-run", "--set"]
    code, out, _ = run(*words, f"model.checkpoint={file}")
    assert code == 0
    assert f"starts from {file}\n  takes the tokenizer (183 tensors), the discriminator\n" in out
    code, _, error = run("export", swept.folder, "--format", "taming")
    assert code == 2
    assert f"{file} exists" in error


def test_a_further_trial_has_what_the_other_ran_with_and_the_changes(swept):
    now = standing(swept)
    searched, by_hand = now.trials["0001"], now.trials["0006"]
    added = further(now, "0001", {"training.steps": 77})
    assert added.settings == {**searched.settings, "training.steps": 77}
    assert added.origin == "from 0001"
    run = now.sweep.run_by_hand(further(now, "0006", {}).settings)
    assert run == now.sweep.run_by_hand(by_hand.settings)  # what overruled the pins does so again
    assert run.training.learning_rate == 0.25


def test_a_searched_trial_ran_with_the_pins(swept):
    now = standing(swept)
    ran = now.sweep.run(now.trials["0001"].settings)
    assert now.sweep.run_by_hand(further(now, "0001", {}).settings) == ran


def test_a_further_trial_is_as_long_as_the_other_after_an_extension(swept):
    now = standing(swept)
    sweep = now.sweep.extended(now.sweep.budget, 40)
    run = sweep.run_by_hand(further(replace(now, sweep=sweep), "0001", {}).settings)
    assert run == now.sweep.run(now.trials["0001"].settings)


INCOMPARABLE = [
    ({"data.resolution": 64}, "data.resolution 64 beside 32"),
    ({"data.source": "other"}, "share their footage"),
    ({"cluster.workers": 3}, "must divide"),
    ({"training.stpes": 3}, "did you mean 'steps'?"),
    ({"budget.trials": 3}, "unknown setting 'budget'"),
]


@pytest.mark.parametrize(("changes", "said"), INCOMPARABLE)
def test_a_further_trial_that_would_not_compare_is_refused(swept, changes, said):
    now = standing(swept)
    with pytest.raises(ConfigError) as error:
        check_further(now, further(now, "best", changes))
    assert said in str(error.value)


def test_an_experiment_appears_whole(folder):
    experiment = Experiment(folder / "runs" / "x")
    (folder / "runs" / ".x.partial").mkdir(
        parents=True
    )  # of a driver that was killed while creating
    (folder / "runs" / ".x.partial" / "space.py").write_text("old")
    with pytest.raises(ExperimentError, match="not an experiment"):
        open_experiment(experiment.folder)
    create(experiment, "name: x", None)
    assert open_experiment(experiment.folder).sweep_file.read_text() == "name: x"
    assert experiment.space_file is None
    assert [path.name for path in (folder / "runs").iterdir()] == ["x"]
