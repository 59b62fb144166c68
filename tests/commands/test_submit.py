"""The line that `raysweep submit` prints: a shell makes of it what is submitted, and it holds no secret."""

import json
import subprocess
import sys

from raysweep.cluster.runtime import ENVIRONMENT
from raysweep.commands.submit import line, new_id, runtime_env

WORDS = ["sweep", "smoke", "--storage", "s3://b/it's", "--set", "points=[{a: 1}]"]
TELL = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"
"""A `ray` that says what it was called with."""


def test_a_shell_makes_of_the_line_what_is_submitted(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "very secret")
    written = line("http://h:8265", "one-1", WORDS, {"raysweep_driver": 0.01}, ["WANDB_API_KEY"])
    assert "very secret" not in written
    told = written.replace("ray job submit", f"{TELL} job submit")
    heard = json.loads(subprocess.run(told, shell=True, capture_output=True, check=True).stdout)
    options = dict(zip(heard[2:8:2], heard[3:9:2], strict=True))
    assert heard[:2] == ["job", "submit"]
    assert options["--submission-id"] == "one-1"
    assert json.loads(options["--entrypoint-resources"]) == {"raysweep_driver": 0.01}
    assert json.loads(options["--runtime-env-json"]) == runtime_env(
        {"WANDB_API_KEY": "very secret"}
    )
    assert heard[8:] == ["--", "raysweep", *WORDS]


def test_a_cluster_without_nodes_for_drivers_is_asked_for_none():
    assert "--entrypoint-resources" not in line("http://h:8265", "one-1", WORDS, {}, [])


def test_a_job_is_stopped_by_ctrl_c_and_runs_with_our_switches(monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    environment = runtime_env({})
    expected = {
        "RAY_AUTH_MODE": "token",
        "RAY_JOB_STOP_SIGNAL": "SIGINT",
        "RAY_JOB_STOP_WAIT_TIME_S": "120",
        **ENVIRONMENT,
    }
    assert environment["env_vars"] == expected
    assert environment["working_dir"] == "."


def test_an_id_begins_with_the_name():
    assert new_id("one").startswith("one-2")


def test_a_variable_that_is_not_set_is_refused(run, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    words = ["--env", "WANDB_API_KEY", "--", "sweep", "smoke", "--storage", "s3://b/runs"]
    code, out, error = run("submit", *words)
    assert (code, out) == (2, "")
    assert "WANDB_API_KEY is not set" in error
