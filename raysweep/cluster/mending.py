"""What a machine that failed may leave in a trial's folder, set right before the trial goes on there.

A process that is killed leaves nothing half written: folders and files appear by renaming. But a machine without
power may lose what was renamed and not yet on the disk, and Train writes its list of checkpoints in place.
"""

import json
from pathlib import Path

from raysweep.training import checkpoint

TRAINS_LIST = "checkpoint_manager_snapshot.json"
"""Train's own list of a run's checkpoints; a run that it does not fit is refused as corrupted."""


def mend(folder: Path) -> None:
    """Leaves whole checkpoints alone in sight, and a list that names all of them, or no list.

    No other process works in the folder.
    """
    there = set(folder.glob("checkpoint_*/"))
    torn = {one for one in there if not checkpoint.is_whole(one)}
    listed = {folder / name for name in _listed(folder / TRAINS_LIST)}
    if listed and listed <= there - torn:
        unwanted = there - listed  # saved by a process that was killed before it could tell
    else:
        unwanted = torn
        (folder / TRAINS_LIST).unlink(missing_ok=True)
    for one in unwanted:
        checkpoint.remove_folder(one)


def _listed(file: Path) -> list[str]:
    """[] where there is no list, or no reading it."""
    try:
        results = json.loads(file.read_text())["checkpoint_results"]
        return [result["checkpoint_dir_name"] for result in results]
    except (OSError, json.JSONDecodeError, KeyError, TypeError):
        return []
