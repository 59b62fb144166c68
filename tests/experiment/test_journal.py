"""The Optuna journal of a sweep: what Optuna and optuna-dashboard read from it."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from raysweep.experiment.conductor import Conductor
from raysweep.experiment.journal import STATES, KeptJournal
from raysweep.experiment.layout import Experiment
from raysweep.search.objective import Constraint, Goal, Objective
from tests.fakes import PSNR, STEPS, driver, execute, small_sweep

FACTS = {"git revision": "0123abc"}


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    return Experiment(tmp_path / "first")


def space(trial: optuna.Trial):
    trial.suggest_categorical("model.ch_mult", [[1, 2], [1, 2, 4]])
    trial.suggest_float("loss.disc_weight", 0.1, 1.0, log=True)


def formula(proposal, step):
    if proposal.trial == "0003":
        return {"val/psnr": float("nan")}
    weight = proposal.config.loss.disc_weight
    return {"val/psnr": step * weight, "val/lpips": 1 / weight}


def play(experiment: Experiment, objective: Objective = PSNR, trials: int = 6) -> Conductor:
    """A sweep with stops, a failure, a divergence and an added trial; goes on from what an earlier one left."""
    sweep = small_sweep(budget={"trials": trials})
    with driver(experiment.events, sweep, space, objective) as mind, told(mind, experiment):
        if not mind.trials:
            mind.add({"loss.disc_weight": 0.7}, "by hand")
        execute(mind, formula, 2, {"0002": "OSError: gone"})
    return mind


def told(mind: Conductor, experiment: Experiment):
    mind.listener = KeptJournal(experiment, mind, FACTS, pytest.fail)
    return closing(mind.listener)


def study_of(experiment: Experiment) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(experiment.journal)))
    return optuna.load_study(study_name="first", storage=storage)


def test_optuna_reads_the_sweep(experiment):
    mind, study = play(experiment), study_of(experiment)
    assert {record.state for record in mind.trials.values()} == set(STATES)
    assert (study.direction.name, study.metric_names, study.user_attrs) == (
        "MAXIMIZE",
        ["val/psnr"],
        FACTS,
    )
    for trial, record in zip(study.trials, mind.trials.values(), strict=True):
        assert trial.state is STATES[record.state]
        as_text = {name: str(value) for name, value in record.params.items()}
        assert {name: str(value) for name, value in trial.params.items()} == as_text
        assert trial.user_attrs["trial"] == record.trial
        assert trial.user_attrs["origin"] == record.origin
        assert trial.user_attrs.get("reason", "") == record.reason
        kept = {step: it["val/psnr"] for step, it in record.reports.items() if it}
        assert trial.intermediate_values == kept
        if trial.state is not TrialState.FAIL:
            assert trial.value == kept[max(kept)]
    assert study.trials[0].user_attrs["settings"] == {"loss.disc_weight": 0.7}


def content(study: optuna.Study) -> list:
    return [
        (t.state, t.values, t.params, t.distributions, t.intermediate_values, t.user_attrs)
        for t in study.trials
    ]


def test_a_journal_that_is_made_again_is_the_one_that_was_kept(experiment):
    play(experiment)
    kept = content(study_of(experiment))
    experiment.journal.write_bytes(b"torn")
    play(experiment)
    assert content(study_of(experiment)) == kept


def test_what_a_killed_driver_left_running_is_running_only_until_it_ends(experiment):
    with driver(experiment.events, space=space) as mind, told(mind, experiment):
        mind.start(mind.propose().trial, executed_as="9f1c")
        (trial,) = study_of(experiment).trials
        assert (trial.state, trial.user_attrs["ray trial"]) == (TrialState.RUNNING, "9f1c")
    play(experiment)
    states = [trial.state for trial in study_of(experiment).trials]
    assert TrialState.RUNNING not in states


def test_a_trial_that_an_extension_reopens_is_running(experiment):
    play(experiment)
    with driver(experiment.events, small_sweep(), space) as mind:
        mind.extend(mind.known.sweep.budget, 40)
        open_ones = [record.trial for record in mind.trials.values() if record.is_open]
        with told(mind, experiment):
            found = [it for it in study_of(experiment).trials if not it.state.is_finished()]
    assert [trial.user_attrs["trial"] for trial in found] == open_ones != []
    assert [trial.datetime_complete for trial in found] == [None] * len(found)


def test_metrics_keep_their_directions_and_constraints_are_told(experiment):
    goals = (Goal("val/psnr", "max"), Goal("val/lpips", "min"))
    objective = Objective(goals, constraints=(Constraint("val/psnr", 1e9, is_minimum=True),))
    mind = play(experiment, objective)
    study = study_of(experiment)
    assert [way.name for way in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    for trial, record in zip(study.trials, mind.trials.values(), strict=True):
        if trial.state is TrialState.COMPLETE:
            assert trial.values == list(record.reports[STEPS[-1]].values())
            assert trial.constraints["0"] > 0


def test_the_best_checkpoint_is_named(experiment):
    best = experiment.best_checkpoint("0001", "val/psnr")
    best.mkdir(parents=True)
    play(experiment)
    found = [trial.user_attrs.get("best val/psnr") for trial in study_of(experiment).trials]
    assert found[:3] == [None, str(best), None]


def test_a_journal_that_cannot_be_written_is_told_of_once_and_hinders_nothing(experiment):
    experiment.journal.with_suffix(".partial").mkdir(parents=True)
    heard: list[str] = []
    with driver(experiment.events, space=space) as mind:
        mind.listener = KeptJournal(experiment, mind, FACTS, heard.append)
        assert len(execute(mind, formula)) == 6
        mind.listener.close()
    (line,) = heard
    assert "optuna.journal cannot be written: Is a directory" in line


# -- optuna-dashboard ---------------------------------------------------------------------------------


@pytest.fixture
def dashboard(experiment):
    """The address of an optuna-dashboard of the experiment's journal."""
    pytest.importorskip("optuna_dashboard")
    play(experiment)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "optuna_dashboard._cli", str(experiment.journal)]
    where = ["--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref", "--quiet"]
    kind = ["--storage-class", "JournalFileStorage"]
    process = subprocess.Popen([sys.executable, *command, *where, *kind])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def get(address: str):
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
            time.sleep(0.1)  # it starts
    raise AssertionError(f"nothing answers at {address}")


def test_the_dashboard_shows_study_and_trials(experiment, dashboard):
    (study,) = get(f"{dashboard}/api/studies")["study_summaries"]
    assert study["study_name"] == "first"
    shown = get(f"{dashboard}/api/studies/{study['study_id']}")
    trials = study_of(experiment).trials
    assert [trial["state"] for trial in shown["trials"]] == [
        trial.state.name.capitalize() for trial in trials
    ]
    for there, trial in zip(shown["trials"], trials, strict=True):
        curve = {point["step"]: point["value"] for point in there["intermediate_values"]}
        assert curve == trial.intermediate_values
        assert {param["name"] for param in there["params"]} == set(trial.params)
        assert {"key": "trial", "value": trial.user_attrs["trial"]} in there["user_attrs"]
