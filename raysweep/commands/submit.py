"""Running a command on a cluster, as a Ray job: what `ray job submit` does, with the right settings."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from raysweep.commands.console import say
from raysweep.commands.errand import Checked, Errand, check_errand
from raysweep.commands.supervise import supervise
from raysweep.errors import ConfigError, TrainingFailed
from raysweep.experiment.drivers import Ended
from raysweep.schema import Tree
from raysweep.spelling import in_bytes

AUTH_MODE = "RAY_AUTH_MODE"
"""Clusters that Ray 2.60 starts want a token; its client sends one only where this says `token`."""
STOP = {"RAY_JOB_STOP_SIGNAL": "SIGINT", "RAY_JOB_STOP_WAIT_TIME_S": "120"}
"""What `ray job stop` sends, and how long it waits before it kills: a sweep puts its things away."""


class Sender:
    """Submits commands from the current folder; `passed`: variables of this environment that go along."""

    def __init__(self, address: str | None, passed: Sequence[str]) -> None:
        from raysweep.cluster.jobs import JobServer

        self.passed = passed
        self.server = JobServer(address)
        self.resources = self.server.driver_resources()

    def line(self, job: str, words: Sequence[str]) -> str:
        return line(self.server.url, job, words, self.resources, self.passed)

    def submit(self, name: str, words: Sequence[str]) -> str:
        """Prints the line that does the same; returns the job's id."""
        from raysweep.cluster.jobs import Job

        job = new_id(name)
        say(self.line(job, words))
        environment = runtime_env({name: os.environ[name] for name in self.passed})
        self.server.submit(Job(job, entrypoint(words), environment, self.resources))
        return job

    def follow(self, job: str) -> Ended:
        """Prints what the job prints; ends with it."""
        try:
            return self.server.follow(job, _write, say)
        except KeyboardInterrupt:
            raise TrainingFailed(
                f"the job goes on, and nobody watches it: `ray job logs --follow {job}` does, and "
                f"`ray job stop {job}` ends it."
            ) from None


def submit(
    errand: Errand,
    address: str | None,
    passed: Sequence[str],
    *,
    wait: bool,
    again: bool,
    dry_run: bool,
) -> int:
    """Returns the exit code of the command, or 0 where nobody waits for it; `again`: goes on when its driver dies."""
    _require_set(passed)
    if again and errand.words[0] == "prepare":
        raise ConfigError(
            "--supervise goes on with an experiment, and prepare makes none. Submit it again: it goes on where it was."
        )
    os.environ[AUTH_MODE] = _auth_mode()  # before Ray is imported, which reads it once
    checked = _checked(errand, Path.cwd())
    sender = Sender(address, passed)
    if dry_run:
        say(sender.line(new_id(checked.name), checked.words))
        return 0
    if again:
        return supervise(partial(_run, sender, checked), checked.words, checked.experiment)
    if wait:
        return _run(sender, checked, checked.words).code
    sender.submit(checked.name, checked.words)
    return 0


def _checked(errand: Errand, folder: Path) -> Checked:
    """With all that travels."""
    from raysweep.cluster.packing import archive_bytes, check_size, packed

    files = packed(folder)
    checked = check_errand(errand, folder, files)
    check_size(folder, files)
    say(f"{len(files)} files of {folder} travel, {in_bytes(archive_bytes(files))}")
    return checked


def line(
    url: str, job: str, words: Sequence[str], resources: Mapping[str, float], passed: Sequence[str]
) -> str:
    """For a shell in the current folder, to which it leaves the values of `passed`."""
    written = shlex.quote(json.dumps(runtime_env({name: _hole(name) for name in passed})))
    for name in passed:
        written = written.replace(_hole(name), f"'\"${name}\"'")
    placed = f"--entrypoint-resources {shlex.quote(json.dumps(resources))} " if resources else ""
    return (
        f"{AUTH_MODE}={_auth_mode()} RAY_API_SERVER_ADDRESS={url} "
        f"ray job submit --submission-id {job} {placed}--runtime-env-json {written} -- {entrypoint(words)}"
    )


def runtime_env(passed: Tree) -> Tree:
    """Of the job's driver and of all its tasks."""
    from raysweep.cluster.packing import EXCLUDED
    from raysweep.cluster.runtime import ENVIRONMENT

    mode = {AUTH_MODE: _auth_mode()}
    variables = {**mode, **STOP, **ENVIRONMENT, **passed}
    return {"working_dir": ".", "excludes": list(EXCLUDED), "env_vars": variables}


def new_id(name: str) -> str:
    """A cluster takes each id once."""
    return f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"


def _run(sender: Sender, checked: Checked, words: Sequence[str]) -> Ended:
    sender.server.all_jobs(say)  # after a death the cluster may need a while
    ended = sender.follow(sender.submit(checked.name, words))
    if ended.is_stopped:
        say(f"stopped; go on with `raysweep submit -- resume {checked.experiment}`")
    return ended


def entrypoint(words: Sequence[str]) -> str:
    return shlex.join(["raysweep", *words])


def _auth_mode() -> str:
    return os.environ.get(AUTH_MODE, "token")


def _hole(name: str) -> str:
    """Where the value stands in a line that is printed."""
    return f"<{name}>"


def _require_set(passed: Sequence[str]) -> None:
    for name in passed:
        if name not in os.environ:
            raise ConfigError(
                f"--env passes a variable of this environment on, and {name} is not set. "
                f"Run `export {name}=...` first."
            )


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
