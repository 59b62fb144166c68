"""What is written takes its name once it is whole: before, and after a failure, there is nothing of that name."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from raysweep.data.storing.shards import flush
from raysweep.errors import DataError, StorageError
from raysweep.full_disk import is_full


def check_free(path: Path) -> None:
    """DataError where there is something already."""
    if path.exists():
        raise DataError(
            f"what is written here replaces nothing, and {path} exists. Delete it, or name another one."
        )


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """What to write to: a file or a folder beside `path`, of the same suffix."""
    check_free(path)
    _make_folder(path.absolute().parent)
    partial = path.with_name(f".partial-{uuid4().hex[:8]}{path.suffix}")
    try:
        yield partial
        if partial.is_file():
            flush(partial)
        check_free(path)  # another process may have been faster
        partial.rename(path)
    except OSError as error:
        if not is_full(error):
            raise
        raise StorageError(
            f"what is written needs room, and the disk or quota of {path} is full. Free some of it, then start again."
        ) from None
    finally:
        _remove(partial)


def _make_folder(folder: Path) -> None:
    reason = "writing there is not allowed"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = str(error.strerror)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DataError(f"{folder} must be a folder to write to: {reason}. Name another one.")


def _remove(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial)
    else:
        partial.unlink(missing_ok=True)
