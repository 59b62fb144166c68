"""Stopping, enqueueing and extending from the command line: what is put in line, refused, and shown."""

from pathlib import Path

import pytest
import yaml

from raysweep.commands.standing import standing
from raysweep.experiment.events import EventLog
from raysweep.experiment.layout import Experiment, create
from raysweep.experiment.requests import waiting, withdraw_pauses
from search_spaces import smoke
from tests.fakes import driver, execute, small_sweep


@pytest.fixture
def begun(folder: Path) -> Experiment:
    """runs/small, whose driver was killed after the first validation of each of its two first trials."""
    experiment = Experiment(folder / "runs" / "small")
    settings = small_sweep(budget={"steps": 1000}, scheduler={"min_peers": 1000})
    source = Path(str(smoke.__file__)).read_text()
    create(experiment, yaml.safe_dump(settings.model_dump(mode="json")), source)
    with driver(experiment.events, settings) as mind:
        for trial in [mind.propose().trial for _ in range(2)]:
            mind.start(trial)
            mind.report(trial, 5, {"val/psnr": 1.0})
    return experiment


@pytest.fixture
def over(folder: Path) -> Experiment:
    """runs/over, played through."""
    experiment = Experiment(folder / "runs" / "over")
    source = Path(str(smoke.__file__)).read_text()
    create(experiment, yaml.safe_dump(small_sweep().model_dump(mode="json")), source)
    with driver(experiment.events) as mind:
        execute(mind)
    return experiment


def test_a_stop_waits_for_the_next_driver_and_says_so(run, begun):
    code, out, _ = run("stop", begun.folder, "--trial", "0001")
    assert code == 0
    assert f"no driver is at work: 0001 is stopped once `raysweep resume {begun.folder}`" in out
    assert [request.trial for request in waiting(begun.requests)] == ["0001"]


def test_a_retry_of_what_did_not_fail_is_refused(run, over):
    code, _, error = run("resume", over.folder, "--retry-failed")
    assert code == 2
    assert f"--retry-failed is for trials that failed, and {over.folder} has " in error
    assert error.endswith(". Leave it out.\n")


def test_status_names_the_word_by_which_failed_trials_go_on(run, over):
    word = f"`raysweep resume {over.folder} --retry-failed`"
    assert word not in run("status", over.folder).out
    with driver(over.events) as mind:
        failing = mind.add({"loss.disc_weight": 0.1}, "by hand")
        execute(mind, errors={failing: "OSError: gone"})
        assert word not in run("status", over.folder).out
    assert f"failed trials go on with {word}" in run("status", over.folder).out


def test_a_driver_that_is_at_work_needs_no_resume(run, begun):
    with EventLog(begun.events):
        assert run("stop", begun.folder, "--trial", "0001").out == (
            "0001 is stopped at its next validation\n"
        )
        assert "as soon as there is room" in run("enqueue", begun.folder).out


def test_what_is_enqueued_is_kept_as_settings(run, begun, folder):
    words = ["--set", "loss={disc_weight: 0.25}", "--set", "training.learning_rate=1e-3"]
    assert run("enqueue", begun.folder, *words).code == 0
    (request,) = waiting(begun.requests)
    assert request.settings == {"loss.disc_weight": 0.25, "training.learning_rate": "1e-3"}


def test_a_pause_is_asked_of_the_driver_and_forgotten_by_the_next(run, begun):
    with EventLog(begun.events):
        assert "at its next validation" in run("pause", begun.folder).out
    assert [request.kind for request in waiting(begun.requests)] == ["pause"]
    assert "no driver is seen at work" in run("pause", begun.folder).out
    run("stop", begun.folder, "--trial", "0001")
    withdraw_pauses(begun.requests)
    assert [request.kind for request in waiting(begun.requests)] == ["stop"]


def test_a_paused_sweep_says_so_and_its_driver_can_be_asked_to_go_on(run, begun):
    with EventLog(begun.events) as log:
        log.append("suspended", "")
        assert run("unpause", begun.folder).out == "the driver, which is still at work, goes on\n"
    assert [request.kind for request in waiting(begun.requests)] == ["unpause"]
    assert f"paused by hand; to go on: `raysweep unpause {begun.folder}`" in (
        run("status", begun.folder).out
    )
    code, _, error = run("pause", begun.folder)
    assert code == 2
    assert "is paused. Go on with `raysweep unpause" in error


# words, where EXP is the experiment that has begun and DONE one that is over; pieces of the refusal
REFUSED = [
    (["stop", "EXP"], ["--trial"]),
    (["stop", "EXP", "--trial", "0042"], ["'0042'", "Known: 0000, 0001"]),
    (["stop", "DONE", "--trial", "0000"], ["until it is over", "0000 is ", "Not over: none"]),
    (["stop", "absent", "--trial", "0000"], ["absent", "not an experiment"]),
    (["enqueue", "absent"], ["absent", "not an experiment"]),
    (["pause", "absent"], ["absent", "not an experiment"]),
    (["unpause", "EXP"], ["a sweep that is paused", "is not. Use `raysweep resume"]),
    (["enqueue", "EXP", "--set", "loss.disc_wieght=1"], ["did you mean 'disc_weight'?"]),
    (["enqueue", "EXP", "--set", "loss.disc_weight"], ["path=value"]),
    (["enqueue", "EXP", "--set", "data.resolution=64"], ["data.resolution 64 beside 32"]),
    (["enqueue", "EXP", "--set", "budget.trials=3"], ["unknown setting 'budget'"]),
    (["resume", "EXP", "--trials", "0"], ["--trials", "got 0", "1 or more"]),
    (["resume", "EXP", "--steps", "20"], ["above the 20 steps", "got 20"]),
    (["resume", "EXP", "--set", "budget.hour=3"], ["did you mean 'hours'?"]),
    (["resume", "EXP", "--set", "budget.hours=0"], ["hours", "greater than 0"]),
    (["resume", "EXP", "--set", "training.steps=9"], ["budget.hours", "got training.steps"]),
    (
        ["resume", "EXP", "--trials", "3", "--set", "budget.steps=8"],
        ["10 of 8 steps are spent", "Go on with --set budget.steps=..."],
    ),
    (
        ["resume", "DONE", "--set", "budget.patience=9"],
        ["6 of 6 trials", "Go on with --trials N"],
    ),
    (
        ["resume", "EXP", "--steps", "90", "--set", "budget.steps=8"],
        ["10 of 8 steps are spent", "Go on with --set budget.steps=..."],
    ),
]


@pytest.mark.parametrize(("words", "pieces"), REFUSED, ids=lambda value: " ".join(value)[:60])
def test_it_is_refused_in_one_line_and_nothing_is_asked(run, begun, over, words, pieces):
    experiments = {"EXP": begun, "DONE": over}
    before = [experiment.events.read_bytes() for experiment in experiments.values()]
    where = {name: experiment.folder for name, experiment in experiments.items()}
    code, out, error = run(*(where.get(word, word) for word in words))
    assert (code, out) == (2, "")
    assert error.count("\n") == 1
    assert [piece for piece in pieces if piece not in error] == []
    assert [experiment.events.read_bytes() for experiment in experiments.values()] == before
    assert not any(experiment.requests.exists() for experiment in experiments.values())


def test_steps_of_a_search_that_varies_them_are_refused(run, begun):
    text = begun.events.read_text().replace("loss.disc_weight", "training.steps")
    begun.events.write_text(text)
    code, _, error = run("resume", begun.folder, "--steps", "40")
    assert code == 2
    assert "this search varies it" in error


def test_a_space_that_is_exhausted_goes_on_with_steps_alone(run, over):
    with EventLog(over.events) as log:
        log.append("exhausted", "", settings=6)
    code, _, error = run("resume", over.folder, "--trials", "3")
    assert code == 2
    assert "6 of 6 settings that the space has are spent. Go on with --steps N." in error


# -- status -------------------------------------------------------------------------------------------


def test_status_shows_what_is_spent_and_left_and_who_runs(run, begun):
    out = run("status", begun.folder).out
    assert "spent: 2 of 6 trials, 10 of 1,000 steps\n" in out
    assert "2 interrupted\n" in out
    with EventLog(begun.events):
        assert "2 running\n" in run("status", begun.folder).out


def test_status_counts_requests_that_wait(run, begun):
    run("enqueue", begun.folder)
    expected = f"requests that wait for `raysweep resume {begun.folder}`: 1\n"
    assert expected in run("status", begun.folder).out


def test_a_search_that_is_over_says_why_and_how_to_go_on(run, over):
    now = standing(over)
    more = f"`raysweep resume {over.folder} --trials N`"
    for command in ("status", "resume"):  # nothing is left to resume, and Ray is not started
        code, out, _ = run(command, over.folder)
        assert code == 0
        assert f"the search is over: 6 of 6 trials; to go on: {more}\n" in out
        assert f"stopping early saved {now.budget.saved_steps} steps\n" in out
    assert now.budget.saved_steps > 0
