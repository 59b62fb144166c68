"""What Ray uploads of a folder that is submitted with a job."""

import logging
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath

from ray._private.ray_constants import RAY_RUNTIME_ENV_IGNORE_GITIGNORE
from ray._private.runtime_env import packaging

from raysweep.errors import ConfigError
from raysweep.spelling import in_bytes

EXCLUDED = (
    *("/.git", "/.venv", "/venv", "/data", "/runs", "/prepared", "/wandb"),
    *("__pycache__", ".*_cache", "*.egg-info", "checkpoint_*"),
    *("*.ckpt", "*.pt", "*.pth", "*.pth.tar", "*.safetensors"),
)
"""Patterns as in .gitignore: versions, environments, footage, results and weights stay here."""
LIMIT_BYTES = packaging.GCS_STORAGE_MAX_SIZE
"""Of the whole archive: Ray keeps it in the head's memory."""
ENTRY_BYTES = 256
"""Of the archive for a file's name, about; nothing is compressed."""
SHOWN = 3

Packed = Mapping[PurePath, int]
"""Bytes of each file, by its path in the folder."""


def packed(folder: Path) -> Packed:
    """What travels: Ray's own walk, which heeds .gitignore and .rayignore."""
    files: dict[PurePath, int] = {}

    def see(path: Path) -> None:
        if path.is_file():
            files[path.relative_to(folder)] = path.stat().st_size

    heeds_gitignore = os.environ.get(RAY_RUNTIME_ENV_IGNORE_GITIGNORE, "0") != "1"
    excluded = [packaging._get_excludes(folder, list(EXCLUDED))]
    quiet = logging.getLogger(__name__)
    packaging._dir_travel(folder, excluded, see, heeds_gitignore, quiet)
    return files


def archive_bytes(files: Packed) -> int:
    return sum(files.values()) + ENTRY_BYTES * len(files)


def check_size(folder: Path, files: Packed) -> None:
    """ConfigError, which names the largest folders, where the cluster would not take it."""
    total = archive_bytes(files)
    if total < LIMIT_BYTES:
        return
    parts: Counter[str] = Counter()
    for path, size in files.items():
        parts[path.parts[0]] += size
    largest = ", ".join(f"{name} {in_bytes(size)}" for name, size in parts.most_common(SHOWN))
    raise ConfigError(
        f"a folder that is submitted holds less than {in_bytes(LIMIT_BYTES)}, and {folder} has {in_bytes(total)}: "
        f"{largest}. Move what the job does not need, or name it in .rayignore."
    )
