"""Where Ray keeps what it keeps of an experiment."""

from pathlib import Path
from typing import Any

from raysweep.experiment.bucket import Bucket
from raysweep.experiment.layout import Experiment


def placed(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """A folder of the experiment as Ray's RunConfigs take it."""
    if experiment.remote is None:
        return {"storage_path": str(folder.resolve())}
    name = folder.relative_to(experiment.folder).as_posix()
    bucket = Bucket(experiment.remote, is_patient=True).below(name)
    return {"storage_path": bucket.path, "storage_filesystem": bucket.file_system}
