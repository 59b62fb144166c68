"""The words of the command line, and that a dry run needs no Ray."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import raysweep
from raysweep.cli import COMMANDS as COMMANDS_RUN
from raysweep.cli import main

COMMANDS = ["demo", "prepare", "train", "describe", "sweep", "resume", "submit", "stop", "enqueue"]
COMMANDS += ["pause", "unpause", "status", "compare", "export", "evaluate", "tokenize"]
COMMANDS += ["encode", "decode", "doctor"]


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=str)
def test_help_is_there_for_every_command(words, capsys):
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: raysweep")
    if not words:
        assert all(command in said for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["swep"], "'swep'"),
        (["sweep"], "space"),
        (["sweep", "smoke", "--trials", "many"], "'many'"),
        (["status"], "experiment"),
        (["sweep", "smoke", "--fast"], "--fast"),
        (["train", "--trial", "0000"], "--from"),
        (["train", "--from", "runs/x", "--data", "demo"], "--data"),
    ],
    ids=str,
)
def test_wrong_words_are_one_line_that_shows_the_way(words, said, capsys):
    assert main(words) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert error.startswith("raysweep: ")
    assert said in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep", "smoke"], "; `raysweep resume` goes on from here"),
        (["prepare"], "; the same command goes on from here"),
        (
            ["tokenize", "model", "--data", "films", "--out", "codes"],
            "; the same command goes on from here",
        ),
        (["status", "runs/x"], ""),
    ],
    ids=str,
)
def test_ctrl_c_is_one_line_that_says_what_goes_on(words, said, capsys, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    command = COMMANDS_RUN[words[0]]
    monkeypatch.setitem(COMMANDS_RUN, words[0], command._replace(run=interrupted))
    assert main(words) == 1
    out, error = capsys.readouterr()
    assert (out, error) == ("", f"raysweep: interrupted{said}\n")


DRY_RUN = """
import sys
from raysweep.cli import main
code = main(["sweep", "smoke", "--dry-run"])
print("ray" in sys.modules, code)
"""


def test_a_dry_run_does_without_ray(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(raysweep.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", DRY_RUN],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False 0"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
