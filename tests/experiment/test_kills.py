"""A driver that is killed with SIGKILL ten times, at any moment: the log is the truth, and every decision follows from it.

Trials are processes of their own that train nothing; a killed driver leaves them behind, as Ray's are.
"""

import hashlib
import json
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from raysweep.cluster.alone import alone
from raysweep.config import SweepConfig
from raysweep.errors import ExperimentError
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.events import Event, EventLog, read
from raysweep.search.schedulers import AshaConfig
from raysweep.search.schedulers.promoting import PromotingConfig
from search_spaces import smoke
from tests.fakes import PSNR, STEPS, by_weight, known, small_sweep

KILLS, TRIALS, AT_ONCE = 10, 16, 2
DIVERGES, FAILS = "0003", "0005"
prepared = multiprocessing.get_context("forkserver")
prepared.set_forkserver_preload([__name__])
forked = multiprocessing.get_context("fork")


def sweep_with(kind: str) -> SweepConfig:
    usual = small_sweep(budget={"trials": TRIALS}, sampler={"startup_trials": 4})
    scheduler = AshaConfig if kind == "stops" else PromotingConfig
    asked = scheduler(min_peers=2, reduction_factor=2)
    return usual.model_copy(update={"scheduler": asked})


# -- a driver and its trials, as processes ------------------------------------------------------------


class Running(NamedTuple):
    trial: str
    connection: Connection


def drive(folder: Path, kind: str) -> None:
    """Goes on with the sweep to its end; notes after every event what it knows."""
    with opened(folder / "events.jsonl") as log, (folder / "notes").open("a") as notes:
        mind = Conductor(sweep_with(kind), smoke.space, PSNR, log, read(log.path))
        written = len(list(read(log.path)))

        def note(*_: object) -> None:
            nonlocal written
            written += 1
            notes.write(json.dumps([written, digest(mind)]) + "\n")
            notes.flush()

        mind.listener = note
        running: list[Running] = []
        while True:
            while len(running) < AT_ONCE and (proposal := mind.propose()) is not None:
                running.append(begin(folder, mind, proposal))
            if not running:
                assert mind.is_over
                return
            for connection in wait([each.connection for each in running], timeout=1):
                (of,) = (each for each in running if each.connection is connection)
                if not hear(mind, of):
                    running.remove(of)


def opened(path: Path) -> EventLog:
    """A trial that was being forked when its driver was killed still has the log open, for a moment."""
    while True:
        with suppress(ExperimentError):
            return EventLog(path)
        time.sleep(0.001)


def begin(folder: Path, mind: Conductor, proposal: Proposal) -> Running:
    mind.start(proposal.trial)
    ours, its = forked.Pipe()
    curve = {step: by_weight(proposal, step) for step in STEPS}
    of_driver = (mind.log, ours)
    forked.Process(target=run_trial, args=(folder, proposal.trial, curve, its, of_driver)).start()
    its.close()
    return Running(proposal.trial, ours)


def hear(mind: Conductor, of: Running) -> bool:
    """Takes in what the trial says; whether it goes on."""
    try:
        said = of.connection.recv()
    except EOFError:  # it came to its end
        mind.end(of.trial, "OSError: gone" if of.trial == FAILS else "")
        return False
    stops = mind.report(of.trial, *said)
    of.connection.send(stops)
    if stops:
        mind.end(of.trial)
    return not stops


def run_trial(
    folder: Path,
    trial: str,
    curve: Mapping[int, Any],
    driver: Connection,
    of_driver: Sequence[EventLog | Connection],
) -> None:
    """Goes on from its last step, which it tells again."""
    for inherited in of_driver:  # what is open ends with the driver
        inherited.close()
    place = folder / "trials" / trial
    place.mkdir(parents=True, exist_ok=True)
    with alone(place):
        trained = place / "trained"
        done = [int(line) for line in trained.read_text().split()] if trained.exists() else []
        for step in [*done[-1:], *STEPS[len(done) :]]:
            if step not in done:
                time.sleep(0.002)
                with trained.open("a") as file:
                    file.write(f"{step}\n")
            try:
                driver.send((step, {"val/ssim": 0.5} if trial == DIVERGES else curve[step]))
                if driver.recv() or trial == FAILS:
                    return
            except (EOFError, ConnectionError):  # the driver is gone
                return


def digest(mind: Conductor) -> str:
    """Of all that it knows: trials, rungs and study."""
    return hashlib.sha256(repr(known(mind)).encode()).hexdigest()


# -- killing it ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["stops", "promotes"])
def killed(request, tmp_path_factory) -> tuple[str, Path]:
    """A sweep whose driver was killed KILLS times on its way."""
    kind, folder = request.param, tmp_path_factory.mktemp("killed")
    chance = random.Random(kind)
    for _ in range(KILLS):
        driver = prepared.Process(target=drive, args=(folder, kind))
        driver.start()
        wait_for_events(folder, chance.randint(1, 4), driver)
        time.sleep(chance.uniform(0, 0.005))
        driver.kill()
        driver.join()
        assert driver.exitcode == -9, "the sweep was over too early"
    driver = prepared.Process(target=drive, args=(folder, kind))
    driver.start()
    driver.join(120)
    assert driver.exitcode == 0
    return kind, folder


def wait_for_events(folder: Path, count: int, driver: Any) -> None:
    log = folder / "events.jsonl"
    before = written(log)
    while written(log) < before + count:
        assert driver.is_alive(), "the driver ended by itself"
        time.sleep(0.001)


def written(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def test_no_trial_is_lost_begun_again_or_heard_twice(killed):
    events = list(read(killed[1] / "events.jsonl"))
    ids = [f"{number:04d}" for number in range(TRIALS)]
    assert [event["trial"] for event in events if event["kind"] == "proposed"] == ids
    assert sorted(event["trial"] for event in events if event["kind"] == "ended") == ids
    reports = Counter((e["trial"], e["step"]) for e in events if e["kind"] == "report")
    assert set(reports.values()) == {1}
    for trial in ids:
        assert [e["kind"] for e in events if e["trial"] == trial][-1] == "ended"
        steps = (killed[1] / "trials" / trial / "trained").read_text().split()
        assert steps == [str(step) for step in STEPS[: len(steps)]]
    expected = {"stopped", "finished", "failed", "diverged"}
    assert {event["state"] for event in events if event["kind"] == "ended"} == expected
    assert (killed[0] == "promotes") is any(event["kind"] == "promoted" for event in events)


class Collected:
    """In place of a log: what a conductor would write."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, kind: str, trial: str, **details: Any) -> Event:
        self.events.append(json.loads(json.dumps({"kind": kind, "trial": trial, **details})))
        return {**self.events[-1], "time": 0.0}


def is_decision(event: Event) -> bool:
    """What a conductor says by itself; all else happened to it."""
    decided = event["kind"] in ("proposed", "paused", "promoted")
    return decided or (event["kind"] == "ended" and event["state"] in ("stopped", "diverged"))


def without_time(event: Event) -> Event:
    return {name: value for name, value in event.items() if name != "time"}


def test_a_replay_of_any_prefix_decides_what_was_decided_and_knows_what_was_known(killed):
    kind, folder = killed
    events = list(read(folder / "events.jsonl"))
    notes = dict(json.loads(line) for line in (folder / "notes").read_text().splitlines())
    compared = 0
    for count, following in enumerate(events):
        log = Collected()
        mind = replayed(kind, log, events[:count])
        if not log.events and count in notes:
            assert digest(mind) == notes[count]
            compared += 1
        while is_decision(following) and not log.events and mind.propose() is not None:
            pass
        assert log.events[:1] == ([without_time(following)] if is_decision(following) else [])
    assert compared > len(events) / 2


def replayed(kind: str, log: Collected, past: Sequence[Event]) -> Conductor:
    return Conductor(sweep_with(kind), smoke.space, PSNR, log, past)  # type: ignore[arg-type]
