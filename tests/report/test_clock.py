"""How long trials were at work: rests and dead drivers do not count."""

import pytest

from raysweep.report.clock import running_seconds

STORIES = [
    ("0 opened, 1 started a, 5 ended a", {"a": 4.0}),
    ("0 opened, 1 started a, 5 paused a, 9 started a, 10 ended a", {"a": 5.0}),
    ("0 opened, 1 started a, 4 report a, 50 opened, 51 started a, 53 suspended a", {"a": 5.0}),
    (
        "0 opened, 1 started a, 4 report a, 50 restarted, 50 opened, 51 started a, 53 suspended a",
        {"a": 5.0},
    ),
    ("0 opened, 1 started a, 2 started b, 6 report b", {"a": 5.0, "b": 4.0}),
    ("0 opened, 0 proposed a, 9 ended a", {}),
]


@pytest.mark.parametrize(("story", "wanted"), STORIES)
def test_running_seconds(story, wanted):
    assert running_seconds(map(event, story.split(", "))) == wanted


def event(words: str) -> dict:
    time, kind, *trial = words.split()
    return {"time": float(time), "kind": kind, "trial": "".join(trial)}
