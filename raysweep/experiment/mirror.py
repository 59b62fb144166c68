"""An experiment on an object store, and the folder on this machine that mirrors it.

On the store lie the same files under the same names but for two: the event log is numbered objects
(`segments.py`), and what a trial keeps has its step in its name (`carrier.py`).
"""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

from raysweep.data.sources.places import is_uri, place_of
from raysweep.errors import ExperimentError
from raysweep.experiment.bucket import HERE, Bucket
from raysweep.experiment.claim import is_claimed
from raysweep.experiment.events import has_writer
from raysweep.experiment.layout import Experiment, open_experiment
from raysweep.experiment.segments import Segments

CACHE = "RAYSWEEP_CACHE"
"""Environment variable: the folder of mirrors, by default `~/.cache/raysweep`."""
MIRRORS, WORKING = "experiments", "working"
"""Folders in it: of mirrors, and of what a node's trials work in."""


def located(storage: str, name: str) -> Experiment:
    """The experiment `name` in a folder or at an address; it need not exist."""
    if not _is_remote(storage):
        return Experiment(_folder(storage).resolve() / name)
    return Experiment(_cached(MIRRORS, storage) / name, joined(storage, name))


def opened(where: str) -> Experiment:
    """An experiment that exists; one at an address as it stands there now, but for its trials' folders."""
    if not _is_remote(where):
        return open_experiment(_folder(where))
    experiment = located(*_split(where))
    pull(experiment)
    return experiment


def exists(experiment: Experiment) -> bool:
    """Whether its name is taken."""
    if experiment.remote is None:
        return experiment.sweep_file.exists()
    return experiment.sweep_file.name in Bucket(experiment.remote).held(below=False)


def pull(experiment: Experiment) -> None:
    """Brings the mirror up to what was asked, decided and requested; nothing to do where there is none.

    A driver on this machine keeps it so itself. ExperimentError where there is no such experiment.
    """
    if experiment.remote is None or has_writer(experiment.events):
        return
    bucket = Bucket(experiment.remote)
    asked = bucket.held(below=False)
    if experiment.sweep_file.name not in asked:
        raise ExperimentError(
            f"{experiment.remote} is not an experiment: it has no sweep.yaml. Name the address that "
            "`raysweep sweep` printed."
        )
    requests = bucket.held(experiment.requests.name)
    shutil.rmtree(experiment.requests, ignore_errors=True)
    bucket.download({name: experiment.folder / name for name in [*asked, *requests]})
    Segments(bucket, experiment.events).pull()


def push(experiment: Experiment, *files: Path) -> None:
    """Files of the mirror that have changed, in this order; nothing to do where there is none."""
    if experiment.remote is None:
        return
    bucket = Bucket(experiment.remote, is_patient=True)
    for file in files:
        bucket.upload({file.relative_to(experiment.folder).as_posix(): file})


def fetch(experiment: Experiment, file: Path) -> Path:
    """A file of the experiment as it is now."""
    if experiment.remote is not None:
        name = file.relative_to(experiment.folder).as_posix()
        Bucket(experiment.remote, is_patient=True).download({name: file})
    return file


def clear(experiment: Experiment, folder: Path) -> None:
    """Removes a folder of the experiment, or all of it, from the store."""
    if experiment.remote is not None:
        bucket = Bucket(experiment.remote)
        name = folder.relative_to(experiment.folder).as_posix()
        bucket.delete(bucket.held("" if name == "." else name))


def is_driven(experiment: Experiment) -> bool:
    """Whether a driver is at work; never where a shared file system knows no locks."""
    if has_writer(experiment.events):
        return True
    return experiment.remote is not None and is_claimed(Bucket(experiment.remote))


def on_this_node(experiment: Experiment, rank: int = 0) -> Experiment:
    """Where a rank works: in its folder or, of one on an object store, in a folder of its own on this node."""
    if experiment.remote is None:
        return experiment
    storage, name = _split(experiment.remote)
    return replace(experiment, folder=_cached(WORKING, storage) / f"rank-{rank}" / name)


def _is_remote(where: str) -> bool:
    return is_uri(where) and place_of(where, HERE).remote is not None


def _folder(where: str) -> Path:
    return Path(place_of(where, HERE).path if is_uri(where) else where)


def _cached(what: str, storage: str) -> Path:
    digest = hashlib.sha256(storage.encode()).hexdigest()[:8]
    root = Path(os.environ.get(CACHE, "~/.cache/raysweep")).expanduser()
    return root.resolve() / what / digest


def joined(storage: str, name: str) -> str:
    """The address of `name` at an address, which `?region=` and the like may follow."""
    address, question, options = storage.partition("?")
    return f"{address.rstrip('/')}/{name}{question}{options}"


def _split(remote: str) -> tuple[str, str]:
    address, question, options = remote.partition("?")
    storage, _, name = address.rstrip("/").rpartition("/")
    return f"{storage}{question}{options}", name
