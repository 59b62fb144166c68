"""A process that died is told from an error that a trial raised, however Ray wraps it up."""

import pytest
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayTaskError
from ray.train import WorkerGroupError
from ray.train.v2._internal.exceptions import WorkerHealthCheckFailedError

from raysweep.cluster.deaths import how_it_died, is_death, last_line, want_of_storage
from raysweep.errors import StorageError


def raised(cause: Exception) -> RayTaskError:
    return RayTaskError("run", f"Traceback\n{cause}", cause)


DEAD = ActorDiedError()
OWN = ValueError("no such file")
WORKER = WorkerHealthCheckFailedError("A worker health check failed.", DEAD)
ERRORS = [
    (DEAD, True),
    (raised(DEAD), True),
    (raised(WorkerGroupError("gone", {0: OWN, 1: WORKER})), True),
    (raised(WorkerGroupError("gone", {0: OutOfMemoryError("full")})), True),
    (ActorDiedError(raised(OWN)), False),  # it never began
    (raised(OWN), False),
    (raised(WorkerGroupError("raised", {0: OWN})), False),
    (OWN, False),
    (None, True),  # Ray ended it for want of memory
]


@pytest.mark.parametrize(("error", "died"), ERRORS, ids=lambda value: type(value).__name__)
def test_who_died_and_who_failed(error, died):
    assert is_death(error) is died


FULL = StorageError("the disk is full")
WANTS = [
    (raised(FULL), FULL),
    (raised(WorkerGroupError("raised", {0: OWN, 1: raised(FULL)})), FULL),
    (raised(OWN), None),
    (DEAD, None),
    (None, None),
]


@pytest.mark.parametrize(("error", "want"), WANTS, ids=lambda value: type(value).__name__)
def test_a_want_of_storage_is_no_failure_of_the_trial(error, want):
    assert want_of_storage(error) is want


def test_the_last_line_says_what_it_was():
    assert last_line(raised(OWN)) == "no such file"
    assert last_line(None) == "the process died"


def test_how_it_died_is_one_sentence():
    said = WorkerHealthCheckFailedError(
        "Check.", ValueError("The node died. Some common causes are")
    )
    assert how_it_died(said) == "The node died"
