"""Writing decisions down: each becomes an event, and is learnt, before it takes effect."""

from collections.abc import Callable
from typing import Any

from raysweep.config import RunConfig
from raysweep.experiment.events import Event, EventLog
from raysweep.experiment.knowledge import Knowledge, Verdict
from raysweep.experiment.records import TrialRecord
from raysweep.schema import Tree
from raysweep.search.schedulers import Course


class Ledger:
    """`tell` hears every event of a trial that is written from now on."""

    def __init__(
        self, log: EventLog, known: Knowledge, tell: Callable[[Event, TrialRecord], None]
    ) -> None:
        self.log, self.known, self.tell = log, known, tell

    def write(self, kind: str, trial: str, **details: Any) -> None:
        event = self.log.append(kind, trial, **details)
        self.known.learn(event)
        self.tell(event, self.known.trials[trial])

    def write_of_search(self, kind: str, **details: Any) -> None:
        """What is no single trial's."""
        self.known.learn(self.log.append(kind, "", **details))

    def propose(
        self,
        origin: str,
        params: Tree,
        settings: Tree,
        run: RunConfig | None = None,
        request: str = "",
    ) -> str:
        """A new trial; returns its id. `run`: None where its settings make no valid one."""
        trial = f"{len(self.known.trials):04d}"
        known = {} if run is None else {**_course(run)._asdict(), "gpus": run.cluster.gpus}
        asked = {"request": request} if request else {}
        details = {"params": params, "settings": settings, **known, **asked}
        self.write("proposed", trial, origin=origin, **details)
        return trial

    def halt(self, trial: str, verdict: Verdict) -> None:
        """A trial that does not run on."""
        kind = "paused" if verdict.state == "paused" else "ended"
        self.write(kind, trial, state=verdict.state, reason=verdict.reason)


def _course(run: RunConfig) -> Course:
    steps = run.training.steps
    timing = run.loss.gan_timing(steps)
    return Course(last_step=steps, gan_from=None if timing.start is None else timing.joins)
