"""Jobs on a cluster that wants a token: refused without it; submitted, stopped, resumed and supervised with it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient
from ray.util.state import list_actors, list_placement_groups

from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from tests.cluster.conftest import Begin

pytestmark = pytest.mark.ray

SLOW = ["--set", "training.steps=100", "--set", "scheduler.kind=none", "--trials", "1"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/jobs/"), ("POST", "/api/jobs/")])
def test_who_has_no_token_is_refused(dashboard: str, method: str, path: str) -> None:
    def answer(**headers: str) -> int:
        job = {"entrypoint": "true"}
        said = requests.request(method, dashboard + path, json=job, headers=headers, timeout=60)
        return said.status_code

    assert answer() == 401
    assert answer(Authorization="Bearer wrong") == 403


Submit = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def submit(begin: Begin, dashboard: str, tmp_path: Path) -> Submit:
    """Starts `raysweep submit` in a folder with a space that lies nowhere else."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "mine.py").write_bytes(Path("search_spaces/smoke.py").read_bytes())
    code = f"import os; os.chdir({str(folder)!r}); from raysweep.cli import main; raise SystemExit(main())"
    return lambda *words: begin(code, "submit", "--address", dashboard, *words)


def kinds(experiment: Experiment) -> list[str]:
    return [event["kind"] for event in read(experiment.events)]


def wait_for_a_report(experiment: Experiment, process: "subprocess.Popen[bytes]") -> None:
    before = kinds(experiment).count("report")
    while kinds(experiment).count("report") == before:
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.2)


def last_job(client: JobSubmissionClient) -> JobDetails:
    return max(client.list_jobs(), key=lambda job: job.start_time)


def left_running(job: JobDetails, address: str) -> list[str]:
    """Of what the job started; Ray Data has actors of its own, which live as long as the cluster."""
    alive = [("job_id", "=", job.job_id), ("state", "=", "ALIVE")]
    actors = list_actors(address, alive, detail=True)
    held = list_placement_groups(address, [("state", "=", "CREATED")])
    left = [actor.class_name for actor in actors if not actor.is_detached]
    return left + [group.placement_group_id for group in held]


def wait_until_nothing_runs(job: JobDetails, address: str) -> None:
    until = time.monotonic() + 60
    while left := left_running(job, address):
        assert time.monotonic() < until, f"the job left {left} running"
        time.sleep(0.5)


def test_a_job_is_stopped_cleanly_resumed_and_gone_on_for_when_it_dies(
    submit: Submit, dashboard: str, videos: Path, tmp_path: Path
) -> None:
    """Stopped by `ray job stop`; then resumed under a supervisor, whose first driver is killed."""
    experiment, client = Experiment(tmp_path / "runs" / "one"), JobSubmissionClient(dashboard)
    words = ["--data", videos, "--storage", tmp_path / "runs", "--name", "one", *SLOW]
    first = submit("--", "sweep", "mine.py", *words)
    wait_for_a_report(experiment, first)
    stopped = last_job(client)
    client.stop_job(stopped.submission_id)
    assert first.wait() == 1
    assert stopped.submission_id.startswith("one-")
    assert client.get_job_status(stopped.submission_id) == JobStatus.STOPPED
    said = client.get_job_logs(stopped.submission_id)
    assert said.splitlines()[-1] == (
        f"raysweep: interrupted with 1 unfinished; go on with `raysweep resume {experiment.folder}`."
    )
    assert "Traceback" not in said
    assert "SIGTERM" not in said
    assert kinds(experiment)[-1] == "closed"
    assert replay(read(experiment.events))["0000"].is_open
    wait_until_nothing_runs(client.get_job_info(stopped.submission_id), dashboard)

    second = submit("--supervise", "--", "resume", experiment.folder)
    wait_for_a_report(experiment, second)
    os.kill(int(last_job(client).driver_info.pid), signal.SIGKILL)
    assert second.wait() == 0
    (trial,) = replay(read(experiment.events)).values()
    assert (trial.state, trial.step) == ("finished", 100)
    assert len(trial.reports) == 100 // 5
    told = [kind for kind in kinds(experiment) if kind in ("opened", "closed", "restarted")]
    assert told == ["opened", "closed", "opened", "restarted", "opened", "closed"]
