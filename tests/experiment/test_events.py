"""The event log: whole lines in order, whatever became of the one who wrote them."""

import json

import pytest

from raysweep.errors import ExperimentError
from raysweep.experiment.events import EventLog, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "events.jsonl"


def write(path, *trials: str) -> None:
    log = EventLog(path)
    for trial in trials:
        log.append("started", trial, note="é\n")
    log.close()


def trials(path) -> list[str]:
    return [event["trial"] for event in read(path)]


def test_events_come_back_as_appended_and_in_order(path):
    log = EventLog(path)
    appended = [
        log.append("report", f"{n:04d}", step=n, metrics={"val/psnr": 0.1}) for n in range(5)
    ]
    log.close()
    assert list(read(path)) == appended


def test_an_event_is_readable_before_the_next_one_and_before_closing(path):
    log = EventLog(path)
    for number in range(3):
        log.append("started", str(number))
        assert trials(path)[-1] == str(number)
    log.close()


def test_no_log_is_an_empty_one(path):
    assert list(read(path)) == []


def test_opening_again_goes_on_behind_what_is_there(path):
    write(path, "a", "b")
    write(path, "c")
    assert trials(path) == ["a", "b", "c"]


@pytest.mark.parametrize("left", [1, 10, -1])
def test_a_torn_last_line_is_dropped_and_cut_off_before_the_next_append(path, left):
    write(path, "a", "b")
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:left])
    assert trials(path) == ["a"]
    write(path, "c")
    assert trials(path) == ["a", "c"]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_one_writer_at_a_time(path):
    log = EventLog(path)
    with pytest.raises(ExperimentError, match="one driver at a time"):
        EventLog(path)
    log.append("started", "a")
    assert trials(path) == ["a"]  # readers are welcome
    log.close()
    write(path, "b")
    assert trials(path) == ["a", "b"]
