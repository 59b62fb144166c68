"""Memory that a job takes: its processes' own, each shared page once, and what lies in Ray's object store.

Linux's proportional set size divides a page by the processes that map it. Pages of shared memory are left
out of it: the object store's are counted from its file, whoever has mapped them.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
SECONDS = 0.5
"""From one sample to the next."""


class Watch:
    """Samples this process and those below it for as long as the block lasts."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(SECONDS):
            self.peak_bytes = max(self.peak_bytes, bytes_of_job(os.getpid()))


def bytes_of_job(root: int) -> int:
    stores: dict[int, int] = {}
    own = 0
    for process in _below(root):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            own += _own_bytes(process)
            stores.update(_object_stores(process))
    return own + sum(stores.values())


def _below(root: int) -> Iterator[Path]:
    """The folders in /proc of a process and of all that descend from it."""
    parents = {int(path.name): _parent(path) for path in PROC.glob("[0-9]*")}
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return (PROC / str(pid) for pid in family)


def _parent(process: Path) -> int:
    try:
        status = (process / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    (parent,) = re.findall(r"^PPid:\s+(\d+)", status, re.MULTILINE)
    return int(parent)


def _own_bytes(process: Path) -> int:
    rollup = (process / "smaps_rollup").read_text()
    kilobytes = {name: int(kb) for name, kb in re.findall(r"^(Pss\w*):\s+(\d+) kB", rollup, re.M)}
    return (kilobytes["Pss"] - kilobytes["Pss_Shmem"]) * 1024 if kilobytes else 0


def _object_stores(process: Path) -> dict[int, int]:
    """Inode -> bytes of the files in shared memory that Ray keeps objects in."""
    stores = {}
    for link in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if link.readlink().name.startswith("plasma"):
                file = link.stat()
                stores[file.st_ino] = file.st_blocks * 512
    return stores
