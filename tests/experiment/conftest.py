"""A log for each test, and drivers that leave none open behind it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from raysweep.experiment.conductor import Conductor
from tests.fakes import driver


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def conductor() -> Iterator[Callable[..., Conductor]]:
    """Makes a conductor that goes on from the events at a path."""
    with ExitStack() as drivers:
        yield lambda *what, **more: drivers.enter_context(driver(*what, **more))
