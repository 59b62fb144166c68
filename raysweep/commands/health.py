"""What a machine must have to run trials: looked at on the machine itself, without Ray."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from pyarrow import fs

from raysweep.data.decoding.decode import DecodeError, read_frames
from raysweep.data.demo import write_video
from raysweep.experiment.provenance import provenance
from raysweep.features.published import PUBLISHED
from raysweep.features.weights import digest, place_of
from raysweep.spelling import in_bytes

LEAST_SHARED_MEMORY = 2**30
"""Bytes of /dev/shm, in which Ray and NCCL share; containers get 64 MB unless told otherwise."""
FULLEST_DISK = 0.95
"""Share in use from which on Ray makes no more objects (RAY_local_fs_capacity_threshold)."""
DRIVERS = Path("/proc/driver/nvidia/gpus")
"""A folder per GPU that the kernel's driver runs."""
H264 = b"".join(
    b"\0\0\0\1" + unit
    for unit in (
        bytes.fromhex("6742c00ada79"),  # baseline profile, one macroblock of 16 x 16
        bytes.fromhex("68ce3880"),
        bytes.fromhex("6588848680") + bytes([128]) * 384 + b"\x80",  # as it is: I_PCM
        bytes.fromhex("65888221a0") + bytes([128]) * 384 + b"\x80",
    )
)
"""Two grey frames (ITU-T H.264, 7.3)."""


class Finding(NamedTuple):
    """One check on one machine."""

    check: str
    told: str
    cure: str = ""
    """What to do about it; empty: all is well."""


class Expected(NamedTuple):
    """What a machine is held to."""

    versions: Mapping[str, str]
    """`provenance()` of the machine that asks."""
    gpus: int
    """That torch is to see."""
    storage: str | None
    """A folder or a URI that is to be written to; None: not looked at."""
    mark: str
    """Name of a file that the machine that asks has written there."""
    is_in_cluster: bool
    """Whether Ray runs on it, which is to ask for a token."""


def drivers_gpus() -> int:
    """GPUs of this machine, by its driver."""
    return len(list(DRIVERS.iterdir())) if DRIVERS.exists() else 0


def examine(expected: Expected) -> list[Finding]:
    return [
        _versions(expected.versions),
        _gpus(expected.gpus),
        _decoding(),
        *([_storage(expected.storage, expected.mark)] if expected.storage else []),
        *_weights(),
        _disk(),
        _shared_memory(),
        *([_token()] if expected.is_in_cluster else []),
    ]


def put_mark(storage: str, mark: str) -> Finding:
    """Writes the file that other machines are to find."""
    try:
        _write(storage, mark)
    except (OSError, pa.ArrowException) as error:
        return _unwritable(storage, error)
    return Finding("storage", f"{storage} is written to")


def remove_mark(storage: str, mark: str) -> None:
    where, folder = _opened(storage)
    where.delete_file(f"{folder}/{mark}")


def _versions(expected: Mapping[str, str]) -> Finding:
    """A git revision counts where both machines run from a checkout; builds for CPU and GPU are alike."""
    found = provenance()
    other = [
        f"{name} {found[name]} and not {expected[name]}"
        for name in expected
        if name in found and found[name].split("+")[0] != expected[name].split("+")[0]
    ]
    if not other:
        return Finding("versions", ", ".join(f"{name} {found[name]}" for name in found))
    cure = (
        "install the same on every machine: pip install with constraints.txt, of the same revision"
    )
    return Finding("versions", ", ".join(other), cure)


def _gpus(expected: int) -> Finding:
    seen = torch.cuda.device_count()
    cure = (
        "install the torch build that fits the driver (`nvidia-smi` shows it), and start Ray again"
    )
    if seen < expected:
        return Finding("gpus", f"torch sees {seen} of {expected}", cure)
    for index in range(seen):
        try:
            torch.ones(8, device=f"cuda:{index}").sum().item()
        except RuntimeError as error:
            return Finding("gpus", f"cuda:{index} does not add: {str(error).splitlines()[0]}", cure)
    return Finding("gpus", f"torch computes on {seen}" if seen else "none, and none is expected")


def _decoding() -> Finding:
    with tempfile.TemporaryDirectory(prefix="raysweep-") as folder:
        h264, mp4v = Path(folder) / "h264.mp4", Path(folder) / "mp4v.mp4"
        h264.write_bytes(H264)
        with suppress(FileNotFoundError):  # OpenCV encodes nothing
            write_video(mp4v, [np.full((16, 16, 3), 128, np.uint8)] * 2)
        failed = [path.stem for path in (h264, mp4v) if not _decodes(path)]
    if not failed:
        return Finding("video", "OpenCV decodes H.264 and MPEG-4")
    return Finding(
        "video",
        f"OpenCV does not decode {' and '.join(failed)}",
        "pip uninstall every opencv package, then pip install opencv-python-headless: its wheel has FFmpeg",
    )


def _decodes(path: Path) -> bool:
    try:
        return len(list(read_frames(path))) == 2
    except DecodeError:
        return False


def _storage(storage: str, mark: str) -> Finding:
    own = f"{mark}-{os.getpid()}"
    try:
        _write(storage, own)
        where, folder = _opened(storage)
        where.delete_file(f"{folder}/{own}")
        is_shared = where.get_file_info(f"{folder}/{mark}").type == fs.FileType.File
    except (OSError, pa.ArrowException) as error:
        return _unwritable(storage, error)
    if is_shared:
        return Finding("storage", f"{storage} is written to, and shared")
    return Finding(
        "storage",
        f"{storage} is another folder here: what was written elsewhere is not in it",
        "mount the same file system on every machine, or use an object store",
    )


def _unwritable(storage: str, error: Exception) -> Finding:
    cure = "give the user who runs Ray the right to write there, or choose another --storage"
    return Finding("storage", f"{storage}: {str(error).splitlines()[0]}", cure)


def _write(storage: str, name: str) -> None:
    where, folder = _opened(storage)
    where.create_dir(folder, recursive=True)
    with where.open_output_stream(f"{folder}/{name}") as file:
        file.write(name.encode())


def _opened(storage: str) -> tuple[fs.FileSystem, str]:
    opened: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(storage)
    return opened


def _weights() -> Iterator[Finding]:
    """Of each network: its file is there, and is what its name says."""
    for network, url in PUBLISHED.items():
        path = place_of(url)
        sound = torch.hub.HASH_REGEX.search(path.name)
        assert sound is not None
        if not path.is_file():
            cure = f"`raysweep doctor --fetch-weights`, or fetch {url} and copy it there"
            yield Finding("weights", f"{network} is not there: {path}", cure)
        elif not digest(path).startswith(sound.group(1)):
            cure = "delete it, then `raysweep doctor --fetch-weights`"
            yield Finding("weights", f"{network} is damaged: {path}", cure)
        else:
            yield Finding("weights", f"{network} is there")


def _disk() -> Finding:
    folder = tempfile.gettempdir()
    disk = shutil.disk_usage(folder)
    told = f"{in_bytes(disk.free)} of {in_bytes(disk.total)} are free at {folder}"
    if disk.used / disk.total < FULLEST_DISK:
        return Finding("disk", told)
    return Finding("disk", told, "make room: over 95% full, Ray makes no more objects")


def _shared_memory() -> Finding:
    size = shutil.disk_usage("/dev/shm").total
    told = f"/dev/shm holds {in_bytes(size)}"
    if size >= LEAST_SHARED_MEMORY:
        return Finding("memory", told)
    cure = "start the container with --shm-size=8gb or more (Kubernetes: an emptyDir in Memory)"
    return Finding("memory", told, cure)


def _token() -> Finding:
    """As the process that started Ray here was told."""
    if os.environ.get("RAY_AUTH_MODE") == "token":
        return Finding("token", "Ray asks for a token")
    return Finding(
        "token",
        "Ray asks for no token: whoever reaches it can run code on it",
        "`ray get-auth-token --generate`, ~/.ray/auth_token copied to every machine, and RAY_AUTH_MODE=token "
        "before every `ray start`",
    )
