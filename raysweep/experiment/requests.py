"""What a person asks of a driver that is at work, from another process: a file each, in the experiment's folder.

Whoever asks writes a file whole; the driver writes down what it does about it, and then removes the file.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from raysweep.schema import Tree

WHOLE = "[!.]*.json"
"""Names of requests; a hidden file is one on its way here."""


class Request(NamedTuple):
    name: str
    """The event that comes of it carries it, so that none is honoured twice."""
    kind: Literal["stop", "enqueue", "pause", "unpause"]
    trial: str
    """To stop."""
    settings: Tree
    """To run, by dotted path, over the experiment's base."""


def ask_to_stop(folder: Path, trial: str) -> Path:
    return _ask(folder, Request(_name(), "stop", trial, {}))


def ask_to_enqueue(folder: Path, settings: Tree) -> Path:
    return _ask(folder, Request(_name(), "enqueue", "", settings))


def ask_to_pause(folder: Path) -> Path:
    return _ask(folder, Request(_name(), "pause", "", {}))


def ask_to_unpause(folder: Path) -> Path:
    return _ask(folder, Request(_name(), "unpause", "", {}))


def withdraw_pauses(folder: Path) -> list[Path]:
    """Those that no driver has taken: a new one is to run. The files that were removed."""
    asked = {path: json.loads(path.read_text())["kind"] for path in folder.glob(WHOLE)}
    withdrawn = [path for path, kind in asked.items() if kind in ("pause", "unpause")]
    for path in withdrawn:
        path.unlink()
    return withdrawn


def waiting(folder: Path) -> Iterator[Request]:
    """In the order they were asked; each is gone once the next is taken."""
    for path in sorted(folder.glob(WHOLE)):
        yield Request(**json.loads(path.read_text()))
        path.unlink()


def count(folder: Path) -> int:
    """How many wait."""
    return len(list(folder.glob(WHOLE)))


def _ask(folder: Path, request: Request) -> Path:
    """The file of it."""
    folder.mkdir(exist_ok=True)
    partial = folder / f"{request.name}.partial"
    partial.write_text(json.dumps(request._asdict()))
    return partial.rename(folder / f"{request.name}.json")


def _name() -> str:
    """In the order of asking."""
    return f"{time.time_ns():020d}-{os.getpid()}"
