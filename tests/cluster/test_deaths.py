"""A process that died is told from an error that a trial raised, however Ray wraps it up."""

import pytest
from ray.exceptions import ActorDiedError, RayTaskError
from ray.train import WorkerGroupError
from ray.train.v2._internal.exceptions import WorkerHealthCheckFailedError

from raysweep.cluster.deaths import how_it_died, is_death, last_line


def raised(cause: Exception) -> RayTaskError:
    return RayTaskError("run", f"Traceback\n{cause}", cause)


DEAD = ActorDiedError()
OWN = ValueError("no such file")
WORKER = WorkerHealthCheckFailedError("A worker health check failed.", DEAD)
ERRORS = [
    (DEAD, True),
    (raised(DEAD), True),
    (raised(WorkerGroupError("gone", {0: OWN, 1: WORKER})), True),
    (ActorDiedError(raised(OWN)), False),  # it never began
    (raised(OWN), False),
    (raised(WorkerGroupError("raised", {0: OWN})), False),
    (OWN, False),
    (None, False),
]


@pytest.mark.parametrize(("error", "died"), ERRORS, ids=lambda value: type(value).__name__)
def test_who_died_and_who_failed(error, died):
    assert is_death(error) is died


def test_the_last_line_says_what_it_was():
    assert last_line(raised(OWN)) == "no such file"
    assert last_line(None) == "the process died"


def test_how_it_died_is_one_sentence():
    said = WorkerHealthCheckFailedError(
        "Check.", ValueError("The node died. Some common causes are")
    )
    assert how_it_died(said) == "The node died"
