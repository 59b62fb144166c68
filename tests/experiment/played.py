"""What is asked of a sweep that was played through, or is being played."""

from itertools import pairwise
from pathlib import Path

from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import read
from raysweep.experiment.requests import Request
from raysweep.schema import Tree
from tests.fakes import known


def states(mind: Conductor) -> dict[str, str]:
    return {record.trial: record.state for record in mind.trials.values()}


def kinds(path: Path, trial: str) -> list[str]:
    return [event["kind"] for event in read(path) if event["trial"] == trial]


def outcome(mind: Conductor) -> object:
    return known(mind)[0]


def check_complete(mind: Conductor, trials: int) -> None:
    """No trial lost, none ended twice, no report taken in twice."""
    events = list(read(mind.log.path))
    ids = [f"{number:04d}" for number in range(trials)]
    assert [event["trial"] for event in events if event["kind"] == "proposed"] == ids
    assert sorted(event["trial"] for event in events if event["kind"] == "ended") == ids
    reports = [(event["trial"], event["step"]) for event in events if event["kind"] == "report"]
    assert len(reports) == len(set(reports))


def asked(number: int, kind: str) -> Request:
    return Request(f"{number:020d}-1", kind, "", {})


def cuts(log: bytes) -> list[int]:
    """Every place between two lines, and the middle of every line."""
    ends = [0] + [place + 1 for place, byte in enumerate(log) if byte == ord("\n")]
    return sorted(ends + [(a + b) // 2 for a, b in pairwise(ends)])


KINDS: dict[str, Tree] = {
    "asha": {},
    "promoting": {"kind": "promoting", "min_peers": 2, "reduction_factor": 2},
    "median": {"kind": "median", "min_peers": 2},
    "hyperband": {"kind": "hyperband", "min_peers": 2, "reduction_factor": 2, "clock": "phases"},
}
"""Settings of a scheduler of each kind that judges in a small sweep."""
