"""Whatever kills a process, a node or the storage: no trial is lost, little is repeated, and the result is the same."""

import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ray.job_submission import JobStatus, JobSubmissionClient

from raysweep.data import DataConfig
from raysweep.data.storing.store import prepare
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from tests.cluster.conftest import Begin
from tests.cluster.faults import (
    CLOCK,
    COSTS,
    RAYSWEEP,
    RAYSWEEP_WITH_SUCH_A_CLOCK,
    TWO_WORKERS,
    Prepared,
    Sweep,
    cost,
    run,
    wait_for_report,
    wait_for_step,
)
from tests.cluster.processes import title, workers, writers
from tests.cluster.ray_nodes import RayCluster, ray_cluster
from tests.proxy import Proxy
from tests.s3_server import Server
from tests.small_disk import fill, small_disk

pytestmark = [pytest.mark.ray, pytest.mark.faults]
slow = pytest.mark.slow

AWAY_SECONDS = 30
NOTICE_SECONDS = 15
Check = Callable[[str, Sweep], None]


@pytest.fixture(scope="session")
def footage(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    store = tmp_path_factory.mktemp("prepared") / "store"
    prepare(str(videos), store, DataConfig(resolution=32))
    return Prepared(videos, store)


@pytest.fixture(scope="session")
def undisturbed(
    cluster: str, footage: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sweep], Experiment]:
    """Gives what a sweep comes to that is left alone."""
    ran: dict[str, Experiment] = {}

    def undisturbed(sweep: Sweep) -> Experiment:
        settings = str(sweep.settings)
        if settings not in ran:
            storage = str(tmp_path_factory.mktemp("undisturbed"))
            alone = Sweep(storage, footage, sweep.settings)
            run(*alone.words)
            ran[settings] = alone.experiment
        return ran[settings]

    return undisturbed


@pytest.fixture
def check(undisturbed: Callable[[Sweep], Experiment], request: pytest.FixtureRequest) -> Check:
    """Holds a sweep that is over to the same one left alone, and adds what the fault cost to the table."""

    def check(fault: str, sweep: Sweep) -> None:
        found = cost(fault, sweep, undisturbed(sweep))
        request.config.stash[COSTS].append(found)
        assert found.lost == 0
        assert found.repeated <= found.interval
        assert found.is_same

    return check


@pytest.fixture
def sweep(footage: Prepared, tmp_path: Path) -> Sweep:
    """Of two trials, each in a process."""
    return Sweep(str(tmp_path), footage)


@pytest.fixture
def sweep_of_workers(footage: Prepared, tmp_path: Path) -> Sweep:
    """Of a trial that two workers train."""
    return Sweep(str(tmp_path), footage, TWO_WORKERS)


def test_the_driver_is_killed(begin: Begin, sweep: Sweep, check: Check) -> None:
    driver = begin(RAYSWEEP, *sweep.words)
    wait_for_step(sweep.log, sweep.in_between, driver)
    driver.kill()
    driver.wait()
    run("resume", sweep.experiment.folder)
    check("SIGKILL of the sweep's driver, then resume", sweep)


@slow
def test_the_process_of_a_trial_is_killed(begin: Begin, sweep: Sweep, check: Check) -> None:
    driver = begin(RAYSWEEP, *sweep.words)
    wait_for_step(sweep.log, sweep.in_between, driver)
    (process,) = writers(sweep.log)
    os.kill(process, signal.SIGKILL)
    assert driver.wait() == 0
    check("SIGKILL of a trial's only process", sweep)


@slow
def test_a_worker_is_killed(begin: Begin, sweep_of_workers: Sweep, check: Check) -> None:
    sweep = sweep_of_workers
    driver = begin(RAYSWEEP, *sweep.words)
    wait_for_report(sweep.experiment, driver)
    wait_for_step(sweep.log, sweep.in_between, driver)
    (process,) = writers(sweep.log)
    os.kill(process, signal.SIGKILL)
    assert driver.wait() == 0
    check("SIGKILL of one of a trial's two train workers", sweep)


@slow
def test_the_driver_of_a_trial_is_killed(
    begin: Begin, sweep_of_workers: Sweep, check: Check
) -> None:
    sweep = sweep_of_workers
    driver = begin(RAYSWEEP, *sweep.words)
    wait_for_report(sweep.experiment, driver)
    wait_for_step(sweep.log, sweep.in_between, driver)
    (process,) = [pid for pid in workers() if title(pid).startswith("ray::ImplicitFunc")]
    os.kill(process, signal.SIGKILL)
    assert driver.wait() == 0
    check("SIGKILL of a trial's driver, which has two train workers", sweep)


@slow
def test_a_job_is_stopped(cluster: str, dashboard: str, sweep: Sweep, check: Check) -> None:
    """Sent as README says."""
    stopped_as_interrupted = {"RAY_JOB_STOP_SIGNAL": "SIGINT", "RAY_JOB_STOP_WAIT_TIME_S": "120"}
    client = JobSubmissionClient(dashboard)
    job = client.submit_job(
        entrypoint=shlex.join(["raysweep", *sweep.words]),
        runtime_env={"env_vars": {"RAY_AUTH_MODE": "token", **stopped_as_interrupted}},
    )
    wait_for_step(sweep.log, sweep.in_between)
    client.stop_job(job)
    while client.get_job_status(job) != JobStatus.STOPPED:
        time.sleep(0.5)
    run("resume", sweep.experiment.folder)
    check("`ray job stop`, then resume", sweep)


@slow
def test_the_newest_checkpoint_is_torn(begin: Begin, sweep: Sweep, check: Check) -> None:
    """As a machine may leave it that fails while it saves: the driver is halted, so that the trial waits after it."""
    driver = begin(RAYSWEEP, *sweep.words)
    wait_for_step(sweep.log, sweep.in_between, driver)
    driver.send_signal(signal.SIGSTOP)
    newest = sweep.experiment.trial("0000") / f"checkpoint_{2 * sweep.interval:09d}"
    while not newest.exists():
        time.sleep(0.02)
    driver.kill()
    driver.wait()
    state = newest / "state.pt"
    state.write_bytes(state.read_bytes()[:-1000])
    run("resume", sweep.experiment.folder)
    check("torn checkpoint: killed while it was saved, then resume", sweep)


@slow
def test_the_disk_is_full(begin: Begin, footage: Prepared, tmp_path: Path, check: Check) -> None:
    with small_disk(tmp_path / "disk", megabytes=100) as disk:
        sweep = Sweep(str(disk), footage)
        driver = begin(RAYSWEEP, *sweep.words)
        wait_for_step(sweep.log, sweep.in_between, driver)
        ballast = fill(disk)
        assert driver.wait() == 1
        ballast.unlink()
        run("resume", sweep.experiment.folder)
        check("full disk, then room again and resume", sweep)


@slow
def test_the_object_store_is_away(
    begin: Begin, footage: Prepared, s3_server: Server, check: Check
) -> None:
    """Nobody listens there, and what was open breaks off."""
    bucket = s3_server.new_bucket()
    with Proxy(s3_server.port) as proxy:
        sweep = Sweep(s3_server.address(f"{bucket}/runs", proxy.port), footage)
        driver = begin(RAYSWEEP, *sweep.words)
        first = f"trials/0000/checkpoint_{sweep.interval:09d}/state.pt"
        while first not in s3_server.names(f"{bucket}/runs/sweep"):
            assert driver.poll() is None, "the driver ended by itself"
            time.sleep(0.2)
        with proxy.away():
            time.sleep(AWAY_SECONDS)
        assert driver.wait() == 0
        check(f"object store away for {AWAY_SECONDS} s", sweep)


@slow
def test_the_clock_jumps(
    begin: Begin, sweep: Sweep, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day ahead and back again, as the driver and its trials see it; the budget is an hour."""
    ahead = tmp_path / "ahead"
    monkeypatch.setenv(CLOCK, str(ahead))
    driver = begin(RAYSWEEP_WITH_SUCH_A_CLOCK, *sweep.words, "--set", "budget.hours=1")
    wait_for_step(sweep.log, sweep.in_between, driver)
    ahead.touch()
    wait_for_step(sweep.log, sweep.in_between + sweep.interval, driver)
    ahead.unlink()
    assert driver.wait() == 0
    check("clock set a day ahead, and back", sweep)


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayCluster]:
    """A head, and two nodes that have a CPU each and give notice of their end."""
    notice = {"RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": str(NOTICE_SECONDS)}
    with ray_cluster(**notice) as nodes:
        nodes.start_head()
        yield nodes


@slow
def test_a_node_dies(begin: Begin, nodes: RayCluster, sweep: Sweep, check: Check) -> None:
    with nodes.two_more() as two:
        driver = begin(RAYSWEEP, *sweep.words, address=nodes.address)
        wait_for_step(sweep.log, sweep.in_between, driver)
        (process,) = writers(sweep.log)
        next(node for node in two if node.holds(process)).kill_raylet()
        assert driver.wait() == 0
    check("SIGKILL of the raylet of one of two nodes", sweep)


@slow
@pytest.mark.parametrize("kind", ["one process", "a worker"])
def test_a_node_is_preempted(
    begin: Begin, nodes: RayCluster, sweep: Sweep, check: Check, kind: str
) -> None:
    """Its notice comes in the middle of an interval, and its end some time later."""
    words = ["--set", "cluster.trainable=distributed"] if kind == "a worker" else []
    with nodes.two_more() as two:
        driver = begin(RAYSWEEP, *sweep.words, *words, address=nodes.address)
        wait_for_step(sweep.log, sweep.in_between, driver)
        (process,) = writers(sweep.log)
        doomed = next(node for node in two if node.holds(process))
        doomed.give_notice()
        doomed.wait()
        assert driver.wait() == 0
    starts = [
        event["trial"] for event in read(sweep.experiment.events) if event["kind"] == "started"
    ]
    assert len(starts) == (
        2 if words else 3
    )  # Train starts workers again, Tune does not start trials
    check(f"preemption notice of {NOTICE_SECONDS} s to the node of {kind}", sweep)


@slow
def test_the_head_is_killed(begin: Begin, sweep: Sweep, check: Check) -> None:
    with ray_cluster() as nodes:
        head = nodes.start_head(cpus=2)
        supervisor = begin(RAYSWEEP, *sweep.words, "--supervise", address=nodes.address)
        wait_for_step(sweep.log, sweep.in_between, supervisor)
        head.kill()
        nodes.start_head(cpus=2)
        assert supervisor.wait() == 0
    check("SIGKILL of the head; its successor and the supervisor go on", sweep)
