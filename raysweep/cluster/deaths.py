"""Whether a trial ended by an error of its own, or because a process of it died: by itself, or with its node."""

from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError
from ray.train import WorkerGroupError
from ray.train.v2._internal.exceptions import WorkerHealthCheckFailedError

from raysweep.errors import StorageError


def error_of(trial: Any) -> Exception | None:
    """Of a trial of Tune's that failed; None where Tune kept none.

    From Tune's own folder on this machine: into the storage it comes some time later.
    """
    file = trial.pickled_error_file
    return None if file is None else cloudpickle.loads(Path(file).read_bytes())


def is_death(error: Exception | None) -> bool:
    """Whether a process was gone: the trial's own, or one that worked for it.

    None: Tune keeps what a trial raised, and how an actor died; not that Ray ended it for want of memory.
    """
    if isinstance(error, RayTaskError):
        return is_death(error.cause)
    if isinstance(error, WorkerGroupError):
        return any(map(is_death, error.worker_failures.values()))
    if isinstance(error, WorkerHealthCheckFailedError):
        return is_death(error.health_check_failure)
    ended_by_ray = error is None or isinstance(error, OutOfMemoryError)
    return ended_by_ray or (isinstance(error, RayActorError) and not error.actor_init_failed)


def want_of_storage(error: Exception | None) -> StorageError | None:
    """What says that a disk was full or a store away, where that is why; it is nothing of the trial's."""
    if isinstance(error, RayTaskError):
        return want_of_storage(error.cause)
    if isinstance(error, WorkerGroupError):
        wants = map(want_of_storage, error.worker_failures.values())
        return next(filter(None, wants), None)
    return error if isinstance(error, StorageError) else None


def how_it_died(error: Exception | None) -> str:
    """In a sentence; Ray adds advice."""
    return last_line(error).partition(". ")[0]


def last_line(error: Exception | None) -> str:
    """Of the traceback, which is the error itself."""
    text = str(error or "the process died").strip()
    return text.splitlines()[-1].strip()[:500]
