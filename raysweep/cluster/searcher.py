"""Tune asks here for the next trial; the conductor answers."""

import time
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from raysweep.cluster.job import Job
from raysweep.cluster.room import Room
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.layout import Experiment

SECONDS = 1.0
"""Between two looks at what persons ask for, while there is no room."""


class ConductedSearcher(Searcher):
    """Hands out trials under our ids: Tune's configuration of a trial is its id, and whether it is tested."""

    def __init__(self, conductor: Conductor, experiment: Experiment, room: Room) -> None:
        super().__init__()
        self.conductor, self.experiment, self.room = conductor, experiment, room
        self._heeded = float("-inf")

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """None: Tune is to ask again later, which it does all the time."""
        self._heed()
        if self.conductor.has_more and not self.room.is_there(self.conductor):
            return None
        proposal = self.conductor.propose()
        if proposal is None:
            return str(Searcher.FINISHED) if self.conductor.is_over else None
        job = Job(self.experiment, proposal.trial, self.conductor.objective)
        job.write(proposal.config)
        return {"trial": proposal.trial, "is_tested": proposal.is_tested}

    def _heed(self) -> None:
        """Requests are files, perhaps on another machine."""
        if time.monotonic() >= self._heeded + SECONDS:
            self.conductor.heed()
            self._heeded = time.monotonic()

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Ends are told to the scheduler, which knows the reason."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune's snapshots hold nothing of ours: the event log is the memory."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Tune expects a file."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a sweep goes on from its event log, not from Tune's snapshot")
