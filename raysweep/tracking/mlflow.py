"""MLflow: an experiment per sweep, and in it a run per trial; where, MLFLOW_TRACKING_URI says."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raysweep.schema import flatten
from raysweep.tracking.base import Picture, Tracker

WHERE = "MLFLOW_TRACKING_URI"
"""Environment variable: a server's address, or a database such as `sqlite:////home/me/mlflow.db`."""
RUN = Path("mlflow") / "run-id"
"""In a trial's folder: its run, in which a resumed trial goes on."""
AT_ONCE = 100
"""Settings in a request, at most: MLflow's own limit."""


class MLflow(Tracker):
    """Written for mlflow-skinny 3, which is imported only here. Pictures stay in the trial's folder."""

    def __init__(
        self, folder: Path, *, experiment: str, name: str, settings: Mapping[str, Any]
    ) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient()
        kept = folder / RUN
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(self._begun(experiment, name, settings))
        self._run = kept.read_text()
        self._client.update_run(self._run, status="RUNNING")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        """Leaves pictures."""

    def note(self, step: int, text: str) -> None:
        """Leaves text."""

    def close(self) -> None:
        self._client.set_terminated(self._run)

    def _begun(self, experiment: str, name: str, settings: Mapping[str, Any]) -> str:
        """A new run's id. What a run was begun with stays: MLflow refuses another value later."""
        from mlflow.entities import Param

        run = self._client.create_run(self._experiment(experiment), run_name=name)
        params = [Param(path, str(value)) for path, value in flatten(settings).items()]
        for start in range(0, len(params), AT_ONCE):
            self._client.log_batch(run.info.run_id, params=params[start : start + AT_ONCE])
        return str(run.info.run_id)

    def _experiment(self, name: str) -> str:
        """Its id; made by the first trial that asks."""
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:
                found = self._client.get_experiment_by_name(name)
                if found is None:  # no other trial was as quick
                    raise
        return str(found.experiment_id)
