"""`raysweep compare`: files, the terminal, S3, and words that are wrong."""

import json
from errno import ENOSPC
from pathlib import Path
from shlex import split

import pytest

from raysweep.experiment.mirror import CACHE
from tests.report.sweeps import swept as made_up


def test_by_itself_it_writes_the_page_beside_the_trials(run, swept):
    code, out, _ = run("compare", swept.folder)
    assert code == 0
    assert out == f"wrote {swept.folder / 'report.html'}\n"
    assert "0006" in (swept.folder / "report.html").read_text()
    assert not list(swept.folder.glob(".*"))


def test_it_writes_what_it_is_asked_for_and_no_more(run, swept, folder):
    words = ["--csv", "table.csv", "--json", "-"]
    code, out, error = run("compare", swept.folder, *words)
    assert code == 0
    assert error == "wrote table.csv\n"
    assert len(json.loads(out)["trials"]) == 7
    assert (folder / "table.csv").read_text().startswith("experiment,trial,place")
    assert not (swept.folder / "report.html").exists()


def test_the_command_that_repeats_a_trial_runs_its_settings(run, swept):
    trials = json.loads(run("compare", swept.folder, "--json", "-").out)["trials"]
    told = next(it for it in trials if it["trial"] == "0006")
    code, out, _ = run(*split(told["repeat"])[1:], "--dry-run")
    assert code == 0
    assert f"disc_weight: {told['settings']['loss.disc_weight']}" in out
    assert f"learning_rate: {told['settings']['training.learning_rate']}" in out


def test_several_experiments_stand_on_one_page_under_their_names(run, folder):
    for name in ("one", "a/same", "b/same"):
        made_up(folder / name, trials=2, validations=2)
    code, out, _ = run("compare", "one", "a/same", "b/same", "one", "--json", "-")
    assert code == 0
    names = [each["name"] for each in json.loads(out)["experiments"]]
    assert names == ["one", str(folder / "a/same"), str(folder / "b/same")]


@pytest.mark.parametrize("torn", [b'{"kind": "rep', b"\xc3"])
def test_while_a_line_is_being_written(run, swept, torn):
    swept.events.write_bytes(swept.events.read_bytes() + torn)
    assert run("compare", swept.folder).code == 0


def test_of_an_experiment_that_has_not_begun(run, swept):
    swept.events.unlink()
    assert run("compare", swept.folder).code == 0


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(run, swept, folder, monkeypatch):
    (folder / "table.csv").write_text("old")

    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    code, _, error = run("compare", swept.folder, "--csv", "table.csv")
    assert code == 1
    assert "is full" in error
    assert [it.name for it in folder.iterdir() if "table.csv" in it.name] == ["table.csv"]
    assert (folder / "table.csv").read_text() == "old"


REFUSED = [
    (["compare"], "EXPERIMENT"),
    (["compare", "nowhere"], "nowhere is not an experiment"),
    (["compare", "EXPERIMENT", "--html", "no/such/page.html"], "in a folder that is there"),
    (["compare", "EXPERIMENT", "--html", "."], "Name another one"),
    (["compare", "EXPERIMENT", "--html", "a-file/page.html"], "in a folder that is there"),
    (["compare", "EXPERIMENT", "--port", "9000"], "go with --serve"),
    (["compare", "EXPERIMENT", "--serve", "--csv", "it.csv"], "--serve writes no file"),
    (["compare", "EXPERIMENT", "--serve", "--port", "99999"], "Give another --port"),
    (["compare", "EXPERIMENT", "--serve", "--port", "http"], "invalid int value"),
    (["compare", "EXPERIMENT", "--serve", "--host", "no.such.host.invalid"], "--serve takes"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_is_wrong_is_told_in_a_line(run, folder, words, said):
    made_up(folder / "EXPERIMENT", trials=1, validations=1)
    (folder / "a-file").touch()
    code, _, error = run(*words)
    assert code == 2
    assert said in error
    assert error.count("\n") == 1


def test_an_experiment_on_a_server_is_compared_from_another_machine(run, s3, folder, monkeypatch):
    from raysweep.experiment.bucket import Bucket

    here = made_up(folder / "first", trials=3, validations=2)
    where = s3.address(f"{s3.new_bucket()}/runs/first")
    Bucket(where).upload(
        {
            "sweep.yaml": here.sweep_file,
            "validation.json": here.validation_file,
            "events/000001.jsonl": here.events,
        }
    )
    monkeypatch.setenv(CACHE, str(folder / "elsewhere"))
    assert run("compare", where, "--html", "page.html").code == 0
    assert "runs/first" in (folder / "page.html").read_text()
    code, _, error = run("compare", where)
    assert code == 2
    assert "Say where with --html FILE" in error
