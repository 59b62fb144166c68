"""A trial's folder between the node that trains it and an object store.

A checkpoint (`checkpoint_*/`, `best/<metric>/`) counts once its state.pt is there, which goes last; the one before
goes after that. The name of what is kept as best has its step on the store, `best/<metric>@<step>/`, so that a new one
never lies half over the old one. `.turn` says which process fetched the folder last: no other one sends.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import uuid4

from raysweep.errors import ExperimentError
from raysweep.experiment.bucket import Bucket
from raysweep.experiment.layout import Experiment

WHOLE = "state.pt"
"""The file of a checkpoint that is written last."""
FACTS = "metrics.json"
"""Its step and what it measured."""
KEPT_CHECKPOINTS = 2
"""The latest of a trial: should a machine that fails tear the last, there is the one before."""
TURN = ".turn"
LOCK = ".lock"
"""Of the process that works in the folder (`cluster/alone.py`)."""
CHECKPOINT = re.compile(r"(?P<which>checkpoint_|(?P<best>best/.+)@)(?P<step>\d{9})/(?P<file>[^/]+)")
"""Names on the store."""


class Carrier(Protocol):
    def fetch(self) -> None:
        """The folder as it was sent last, whatever lay here; whoever fetched it before sends no more."""
        ...

    def send(self) -> None:
        """What has changed here since; ExperimentError where another process has fetched the folder."""
        ...


class Shared:
    """Of a folder that all nodes share: there is nothing to do."""

    def fetch(self) -> None: ...

    def send(self) -> None: ...


class Carried:
    """`without`: how names begin that somebody else looks after."""

    def __init__(self, bucket: Bucket, folder: Path, without: tuple[str, ...] = ()) -> None:
        self._bucket, self._folder, self._without = bucket, folder, without
        self._turn = uuid4().hex.encode()
        self._sent: dict[str, Stamp | None] = {}
        """What lies on the store, by name; None: something that is not here."""

    def fetch(self) -> None:
        _empty(self._folder)
        self._bucket.write(TURN, self._turn)
        others = (".", *self._without)
        held = [name for name in self._bucket.held() if not name.startswith(others)]
        self._bucket.download({name: self._folder / _name_here(name) for name in current(held)})
        here = {name: _stamp(file) for name, file in _files(self._folder).items()}
        self._sent = {**dict.fromkeys(held), **here}

    def send(self) -> None:
        self._require_turn()
        files = _files(self._folder)
        stamps = {name: _stamp(file) for name, file in files.items()}
        changed = [name for name, stamp in stamps.items() if self._sent.get(name) != stamp]
        for names in _whole_last(changed):
            self._bucket.upload({name: files[name] for name in names})
        for names in reversed(_whole_last(self._sent.keys() - files.keys())):
            self._bucket.delete(names)
        self._sent = dict(stamps)

    def _require_turn(self) -> None:
        if self._bucket.read(TURN) != self._turn:
            raise ExperimentError(
                f"one process at a time works in {self._bucket.path}, and another one has begun since. Leave it to "
                "that one."
            )


class Stamp(NamedTuple):
    """By which a file that was written again is known."""

    size: int
    """Bytes."""
    written: int
    """Nanoseconds since the epoch."""


def carrier(experiment: Experiment, trial: str, without: tuple[str, ...] = ()) -> Carrier:
    """Of a trial whose folder is `experiment.trial(trial)`."""
    if experiment.remote is None:
        return Shared()
    return Carried(_bucket(experiment, trial), experiment.trial(trial), without)


def fetch_kept(experiment: Experiment, trial: str) -> None:
    """Brings what is kept as best here, and the pictures that were drawn of it."""
    if experiment.remote is None:
        return
    bucket, folder = _bucket(experiment, trial), experiment.trial(trial)
    kept = current(bucket.held("best"))
    steps = {match["step"] for name in kept if (match := CHECKPOINT.fullmatch(name))}
    drawn = [name for name in bucket.held("reconstructions") if _step_of_picture(name) in steps]
    bucket.download({name: folder / _name_here(name) for name in [*kept, *drawn]})


def read_kept(experiment: Experiment, trial: str, metric: str) -> bytes:
    """The `metrics.json` of what is kept as best by `metric`, as it is now: by which another checkpoint is noticed, and
    which is small. ExperimentError where nothing is kept."""
    facts = experiment.best_checkpoint(trial, metric) / FACTS
    if experiment.remote is None and facts.exists():
        return facts.read_bytes()
    if experiment.remote is not None:
        bucket, folder = _bucket(experiment, trial), experiment.trial(trial)
        there = {folder / _name_here(name): name for name in current(bucket.held("best"))}
        if facts in there:
            return bucket.read(there[facts])
    raise ExperimentError(
        f"trial {trial} of {experiment.where} has no checkpoint kept for {metric}. Name a trial that has been "
        "validated; `raysweep status` lists them."
    )


def current(names: Iterable[str]) -> list[str]:
    """Without checkpoints that are not whole, or have later ones: of the best one, of others KEPT_CHECKPOINTS."""
    found = {name: CHECKPOINT.fullmatch(name) for name in names}
    whole: dict[str, list[int]] = {}
    for match in filter(None, found.values()):
        if match["file"] == WHOLE:
            whole.setdefault(match["which"], []).append(int(match["step"]))
    kept = {
        which: sorted(steps)[-1 if which.startswith("best/") else -KEPT_CHECKPOINTS :]
        for which, steps in whole.items()
    }
    return [
        name
        for name, match in found.items()
        if match is None or int(match["step"]) in kept.get(match["which"], [])
    ]


def _bucket(experiment: Experiment, trial: str) -> Bucket:
    assert experiment.remote is not None
    folder = experiment.trial(trial).relative_to(experiment.folder)
    return Bucket(experiment.remote, is_patient=True).below(folder.as_posix())


def _files(folder: Path) -> dict[str, Path]:
    """What there is to send, by the name it has on the store."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {_name_there(folder, file): file for file in files if not _is_passing(folder, file)}


def _is_passing(folder: Path, file: Path) -> bool:
    """Whether it is a lock, or half written."""
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return hidden or file.suffix == ".partial"


def _name_there(folder: Path, file: Path) -> str:
    name = file.relative_to(folder)
    if name.parts[0] != "best":
        return name.as_posix()
    step = json.loads((file.parent / FACTS).read_text())["step"]
    return f"{name.parent.as_posix()}@{step:09d}/{name.name}"


def _name_here(name: str) -> str:
    match = CHECKPOINT.fullmatch(name)
    if match is None or not match["best"]:
        return name
    return f"{match['best']}/{match['file']}"


def _whole_last(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """In the order in which they make a checkpoint whole."""
    marks = [name for name in names if name.endswith(f"/{WHOLE}")]
    return [name for name in names if name not in marks], marks


def _step_of_picture(name: str) -> str:
    """Of `val-reconstruction-00000020.png`, with nine digits as checkpoints have."""
    return name.removesuffix(".png").rpartition("-")[2].zfill(9)


def _stamp(file: Path) -> Stamp:
    status = file.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


def _empty(folder: Path) -> None:
    """All but the lock, which is held."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
