"""One process at a time works in a trial's folder.

Tune goes on as soon as it has told a trial to stop: when the trial runs again at once, processes of its
earlier turn may still be on their way out. So may those of a driver that was killed.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raysweep.errors import ExperimentError

LOCK = ".lock"
LEFT_SECONDS = 600.0
"""Since a process began to work in a folder; many times what it takes from there to the lock."""
PATIENCE_SECONDS = 120.0
"""Ray ends processes whose owner is gone within seconds."""


@contextmanager
def alone(folder: Path, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Waits for the process that works there, if any; ExperimentError when it does not end.

    The lock is the process's: however it ends, the next one may go on. Some shared file systems know no locks.
    """
    until = time.monotonic() + patience_seconds
    with (folder / LOCK).open("wb") as file:
        while not _locked(file.fileno()):
            if time.monotonic() > until:
                raise ExperimentError(
                    f"one process at a time works in {folder}, and another did not end within "
                    f"{patience_seconds:g} s. End it, then resume."
                )
            time.sleep(0.1)
        yield


def clear_left(folder: Path) -> None:
    """Removes the folders beside this one that nobody has worked in for a while: a node's copies."""
    for lock in folder.parent.glob(f"*/{LOCK}"):
        is_old = time.time() - lock.stat().st_mtime > LEFT_SECONDS
        if lock.parent != folder and is_old and not _is_held(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)


def _is_held(lock: Path) -> bool:
    with lock.open("rb") as file:
        return not _locked(file.fileno())


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    return True
