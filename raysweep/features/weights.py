"""The one policy for pretrained weights: torch.hub's folder, filled over the network once if need be."""

import os
from functools import cache
from hashlib import file_digest
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import torch

from raysweep.errors import WeightsError

_ANSWER_WITHIN_SECONDS = 10.0
"""A host that does not answer by then counts as out of reach; torch.hub itself would wait for minutes."""


def locate(file_name: str, url: str, instead: str) -> Path:
    """The path of `file_name` in torch.hub's checkpoints folder, downloaded from `url` where it is absent.

    Raises WeightsError where the file cannot be had, which offers to set `instead`.
    """
    path = checkpoints_folder() / file_name
    if path.is_file():
        return path
    try:
        _download(url, path)
    except (OSError, HTTPException) as error:  # URLError is an OSError
        raise WeightsError(
            f"pretrained weights {path.name} must lie in {path.parent} and could not be fetched from {url} "
            f"({error}). Copy the file there, or set {instead}."
        ) from error
    return path


def chosen(init: str, setting: str, others: str, url: str, instead: str) -> Path:
    """The file that `init` means, the value of a `setting` that takes `pretrained`, a file or `others`.

    Raises WeightsError where the file is absent, or is the one at `url` and cannot be had.
    """
    if init == "pretrained":
        return locate(place_of(url).name, url, instead)
    path = Path(init)
    if not path.is_file():
        raise WeightsError(
            f"{setting} must be {others}, pretrained or a file; there is no file {path}. Check the path."
        )
    return path


@cache  # half a gigabyte takes a second
def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def checkpoints_folder() -> Path:
    """Where torchvision keeps weights, so that files fetched by either serve both; $TORCH_HOME moves it."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def place_of(url: str) -> Path:
    """Where the file of this address lies, once it was fetched."""
    return checkpoints_folder() / url.rsplit("/", maxsplit=1)[-1]


def place(file_name: str, content: bytes) -> None:
    """Puts a file there that came another way; what is there already stays."""
    path = checkpoints_folder() / file_name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{file_name}.{os.getpid()}.partial")
        partial.write_bytes(content)
        partial.replace(path)


def _download(url: str, path: Path) -> None:
    """Writes a partial file beside `path` and renames it: several ranks may do so at once."""
    with urlopen(Request(url, method="HEAD"), timeout=_ANSWER_WITHIN_SECONDS):
        path.parent.mkdir(parents=True, exist_ok=True)
    digest = torch.hub.HASH_REGEX.search(path.name)
    try:
        torch.hub.download_url_to_file(url, str(path), digest.group(1) if digest else None)
    except RuntimeError as error:  # how torch.hub reports a file that does not match its hash
        raise OSError(str(error)) from error
