"""Promises about a driver on an object store: one at a time, nothing decided is lost, requests reach it."""

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from raysweep.errors import ExperimentError
from raysweep.experiment import claim
from raysweep.experiment import driving as driving_module
from raysweep.experiment.bucket import Bucket
from raysweep.experiment.claim import Claim
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.driving import driving
from raysweep.experiment.events import TOLD, Event, EventLog, read
from raysweep.experiment.layout import Experiment, create
from raysweep.experiment.mirror import CACHE, exists, is_driven, located, opened, pull, push
from raysweep.experiment.requests import ask_to_enqueue, ask_to_stop, count, waiting
from search_spaces import smoke
from tests.fakes import PSNR, STEPS, execute, known, small_sweep
from tests.s3_server import KEYS

DIED = 9
prepared = multiprocessing.get_context("forkserver")
prepared.set_forkserver_preload([__name__])


@pytest.fixture
def experiment(s3) -> Experiment:
    """Asked for, and not begun."""
    experiment = located(s3.address(f"{s3.new_bucket()}/runs"), "small")
    create(experiment, yaml.safe_dump(small_sweep().model_dump(mode="json")), None)
    push(experiment, experiment.sweep_file)
    return experiment


def elsewhere(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Experiment:
    """As another machine sees it."""
    monkeypatch.setenv(CACHE, str(tmp_path / "elsewhere"))
    assert experiment.remote is not None
    return opened(experiment.remote)


def mind_of(experiment: Experiment, log: object) -> Conductor:
    return Conductor(small_sweep(), smoke.space, PSNR, log, read(experiment.events))  # type: ignore[arg-type]


def events_of(experiment: Experiment) -> list[Event]:
    return list(read(experiment.events))


def test_a_sweep_reads_the_same_from_another_machine(experiment, tmp_path, monkeypatch):
    with driving(experiment) as log:
        mind = mind_of(experiment, log)
        execute(mind)
    there = elsewhere(experiment, tmp_path, monkeypatch)
    assert there.folder != experiment.folder
    assert events_of(there) == events_of(experiment)
    assert known(mind_of(there, None)) == known(mind)
    assert there.sweep_file.read_text() == experiment.sweep_file.read_text()


def test_of_a_driver_that_is_gone_only_reports_since_its_last_decision_are_lost(
    experiment, tmp_path, monkeypatch
):
    """And those come again: a trial that goes on tells what its checkpoint holds."""
    with driving(experiment) as log:
        mind = mind_of(experiment, log)
        for _ in range(2):
            proposal = mind.propose()
            mind.start(proposal.trial)
        mind.report("0000", STEPS[0], {"val/psnr": 1.0})
        there = elsewhere(experiment, tmp_path, monkeypatch)
        written, kept = events_of(experiment), events_of(there)
    assert kept == written[: len(kept)]
    assert [event["kind"] for event in written[len(kept) :]] == ["started", "report"]
    assert {event["kind"] for event in written[len(kept) :]} <= set(TOLD)


class Mortal:
    """A log whose driver's machine loses power instead of writing one event too many."""

    def __init__(self, log: EventLog, events: int) -> None:
        self.log, self.left = log, events

    def append(self, kind: str, trial: str, **details: Any) -> Event:
        if self.left == 0:
            os._exit(DIED)
        self.left -= 1
        return self.log.append(kind, trial, **details)


def drive(address: str, events: int, machine: Path) -> None:
    os.environ.update({CACHE: str(machine), **KEYS})
    experiment = opened(address)
    with driving(experiment) as log:
        execute(mind_of(experiment, Mortal(log, events)))


def test_drivers_that_die_each_with_its_machine_come_to_what_one_comes_to(
    experiment, tmp_path, monkeypatch
):
    for events in (5, 20, 1000):
        machine = tmp_path / f"machine-{events}"
        driver = prepared.Process(target=drive, args=(experiment.remote, events, machine))
        driver.start()
        driver.join(60)
        assert driver.exitcode == (DIED if events < 1000 else 0)
    there = elsewhere(experiment, tmp_path, monkeypatch)
    with EventLog(tmp_path / "undisturbed.jsonl") as log:
        execute(Conductor(small_sweep(), smoke.space, PSNR, log, ()))
    assert decided(there.events) == decided(log.path)


def decided(log: Path) -> list[Event]:
    """Also reports; starts are as many as there were drivers."""
    events = [event for event in read(log) if event["kind"] != "started"]
    return [{name: value for name, value in event.items() if name != "time"} for event in events]


def test_one_driver_at_a_time_whatever_machine_it_is_on(experiment, tmp_path, monkeypatch):
    with driving(experiment):
        there = elsewhere(experiment, tmp_path, monkeypatch)
        assert is_driven(there)
        refusal = f"process {os.getpid()} on .* drives s3:"
        with pytest.raises(ExperimentError, match=refusal), driving(there):
            pass
        assert is_driven(there)
    assert not is_driven(there)
    with driving(there):
        pass


def test_a_driver_that_was_taken_for_gone_says_so_and_writes_no_more(
    experiment, tmp_path, monkeypatch
):
    one = Claim(Bucket(experiment.remote))
    one.take()
    monkeypatch.setattr(claim, "STALE_SECONDS", 0.0)
    other = Claim(Bucket(experiment.remote))
    other.take()
    with pytest.raises(ExperimentError, match="another has taken over"):
        one.renew()
    other.renew()


def test_requests_reach_a_driver_on_another_machine_once(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(driving_module, "BEAT_SECONDS", 0.05)
    with driving(experiment) as log:
        mind = Conductor(
            small_sweep(),
            smoke.space,
            PSNR,
            log,
            (),
            requests=lambda: waiting(experiment.requests),
        )
        mind.start(mind.propose().trial)
        there = elsewhere(experiment, tmp_path, monkeypatch)
        experiment.requests.mkdir()
        (experiment.requests / ".on-its-way.json").write_text("{")
        push(there, ask_to_stop(there.requests, "0000"))
        push(there, ask_to_enqueue(there.requests, {"seed": 5}))
        wait_until(lambda: count(experiment.requests) == 2)
        assert mind.report("0000", STEPS[0], {"val/psnr": 1.0})
        wait_until(lambda: not Bucket(experiment.remote).held("requests"))
        pull(there)
        assert count(there.requests) == 0
        assert count(experiment.requests) == 0
    assert [record.state for record in mind.trials.values()] == ["stopped", "proposed"]


def wait_until(is_true: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_true():
            return
        time.sleep(0.05)
    pytest.fail("not within half a minute")


def test_reports_are_seen_elsewhere_before_the_next_decision(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(driving_module, "BEAT_SECONDS", 0.05)
    with driving(experiment) as log:
        log.append("report", "0000", step=5, metrics={})
        there = elsewhere(experiment, tmp_path, monkeypatch)

        def is_there() -> bool:
            pull(there)
            return bool(list(read(there.events)))

        wait_until(is_there)


def test_a_store_that_is_away_is_waited_for(experiment, s3):
    with driving(experiment) as log:
        with s3.away():
            waits = Thread(target=log.append, args=("ended", "0000"))
            waits.start()
            waits.join(3)
            assert waits.is_alive()
        waits.join()
        assert events_of(experiment)[-1]["kind"] == "ended"


def test_an_experiment_that_is_not_there_is_told_of(s3):
    address = s3.address(f"{s3.new_bucket()}/runs")
    assert not exists(located(address, "absent"))
    with pytest.raises(
        ExperimentError, match=r"absent.* is not an experiment: it has no sweep.yaml"
    ):
        opened(located(address, "absent").where)


def test_a_segment_that_is_half_there_loses_and_doubles_nothing(experiment, tmp_path, monkeypatch):
    with driving(experiment) as log:
        for trial in ("a", "b"):
            log.append("proposed", trial)
    bucket = Bucket(experiment.remote)
    bucket.write("events/000003.jsonl", b'{"kind": "prop')
    with driving(experiment) as log:
        log.append("proposed", "c")
    there = elsewhere(experiment, tmp_path, monkeypatch)
    assert [event["trial"] for event in read(there.events)] == ["a", "b", "c"]
    assert events_of(there) == events_of(experiment)
