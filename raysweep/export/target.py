"""Where an export goes: it appears whole or not at all, and takes the place of an earlier export alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from raysweep.errors import ExperimentError
from raysweep.full_disk import told_when_full
from raysweep.hub import WEIGHTS
from raysweep.training.checkpoint import remove_folder


def require_replaceable(folder: Path) -> None:
    """ExperimentError where something else than an export is there."""
    taken = any(folder.iterdir()) if folder.is_dir() else folder.exists()
    if taken and not (folder / WEIGHTS).exists():
        raise ExperimentError(
            f"an export writes a folder of its own, and {folder} holds something else. Name another one."
        )


def require_free(file: Path) -> None:
    """ExperimentError where it exists."""
    if file.exists():
        raise ExperimentError(
            f"an export as one file replaces none, and {file} exists. Delete it, or name another one."
        )


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of `folder` at the end, or goes on an error."""
    folder = folder.absolute()
    partial = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.partial")
    make_folder(partial)
    try:
        with told_when_full(folder):
            yield partial
        remove_folder(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """ExperimentError where it cannot be made."""
    try:
        with told_when_full(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"an export needs a folder that can be made, and {folder.parent} cannot hold one: {error.strerror}. "
            "Name another one with --out."
        ) from None
