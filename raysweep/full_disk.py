"""A disk without room: one line that says where, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path

from raysweep.errors import StorageError


def is_full(error: BaseException) -> bool:
    """Whether no room is why, of itself or of an error that led to it."""
    if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
        return True
    return any(is_full(cause) for cause in (error.__cause__, error.__context__) if cause)


@contextmanager
def told_when_full(place: Path) -> Iterator[None]:
    """Turns an error for want of room into a StorageError that names `place`."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch.save makes a RuntimeError of it
        if not is_full(error):
            raise
        raise no_room(place) from None


def no_room(place: Path) -> StorageError:
    return StorageError(
        f"what a run writes needs room, and the disk or quota of {place} is full. Free some of it, then start again, or "
        "go on with `raysweep resume`: what was written before is whole."
    )
