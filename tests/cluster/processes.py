"""Processes of this machine, as /proc tells of them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def writers(file: Path) -> Iterator[int]:
    """Who has it open: of a trial's `training.log`, the first rank."""
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # a process or a file that is gone by now
            if descriptor.readlink() == file:
                yield int(descriptor.parts[2])


def parents(process: int) -> Iterator[int]:
    """The process, its parent, and so on."""
    while process > 1:
        yield process
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        process = int(fields[1])


def children(process: int) -> list[int]:
    with suppress(OSError):
        found = Path(f"/proc/{process}/task").glob("*/children")
        return [int(pid) for file in found for pid in file.read_text().split()]
    return []


def title(process: int) -> str:
    """Its command line: of a process that Ray started, what it does."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return ""


def of_ray(part: str) -> list[int]:
    """Those of the session's cluster, which this process started, with `part` in their titles."""
    return [pid for pid in children(os.getpid()) if part in title(pid)]


def workers() -> list[int]:
    """Of the session's cluster: each is a trial, an actor of one, or idle."""
    found = [pid for raylet in of_ray("raylet/raylet") for pid in children(raylet)]
    return [pid for pid in found if title(pid).startswith("ray::")]


def megabytes(process: int) -> float:
    """Resident memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
