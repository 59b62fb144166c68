"""Drivers that leave no log open behind a test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from raysweep.experiment.conductor import Conductor
from tests.fakes import driver


@pytest.fixture
def conductor() -> Iterator[Callable[..., Conductor]]:
    """Makes a conductor that goes on from the events at a path."""
    with ExitStack() as drivers:
        yield lambda *what, **more: drivers.enter_context(driver(*what, **more))
