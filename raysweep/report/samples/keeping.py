"""What the page shows, kept for the next time: `<experiment>/report/samples/<shots>/`, a file for each trial.

It is derived, and lies outside the trial's own folder: who deletes it loses time alone. A file is made again where the
checkpoint is another one, where it was written by another version, and where it is damaged. Of an experiment on an
object store it lies in the mirror, and is sent nowhere.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from raysweep.data.storing.shards import whole_file
from raysweep.schema import Config

VERSION = 1
"""Of what is kept; raised where what is shown is made otherwise."""

Kept = TypeVar("Kept", bound=Config)


def kept_or_made(file: Path, of: str, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
    """What `file` holds, where it was made of the same thing, which `of` tells from others; else what `make` gives."""
    mark = sha256(f"{VERSION} {of}".encode()).hexdigest()
    held = _read(file, mark, kind)
    if held is not None:
        return held
    made = make()
    with suppress(OSError):  # of an experiment that may not be written to: made again the next time
        _write(file, mark, made)
    return made


def _read(file: Path, mark: str, kind: type[Kept]) -> Kept | None:
    try:
        written, _, told = file.read_text(encoding="utf-8").partition("\n")
        return kind.model_validate_json(told) if written == mark else None
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def _write(file: Path, mark: str, made: Kept) -> None:
    with whole_file(file) as part:
        part.write_text(f"{mark}\n{made.model_dump_json()}", encoding="utf-8")
