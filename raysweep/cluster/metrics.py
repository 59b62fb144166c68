"""Figures of a sweep and of its trials for Prometheus: each node of a Ray cluster exports what its processes set.

There, names begin with `ray_`. `deploy/grafana.json` shows them.
"""

from collections import Counter as Count
from collections.abc import Mapping
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from ray.util.metrics import Counter, Gauge

from raysweep.experiment.events import Event
from raysweep.experiment.records import TrialRecord
from raysweep.tracking import Picture, Tracker

if TYPE_CHECKING:
    from raysweep.experiment.conductor import Conductor

STATES = (
    *("proposed", "running", "paused", "promoted", "suspended"),
    *("stopped", "finished", "diverged", "failed"),
)
"""As TrialRecord.state."""
TRIALS, BEST_SCORE, STEPS = "raysweep_trials", "raysweep_best_score", "raysweep_steps_total"
OF_A_TRIAL = {
    "train/steps_per_second": ("raysweep_steps_per_second", "Optimizer steps per second"),
    "train/frames_per_second": ("raysweep_frames_per_second", "Frames per second, of all workers"),
    "train/data_wait": ("raysweep_data_wait", "Share of the time that the first worker waits"),
}
"""Figure of a run -> what it is exported as, by trial, and what it is."""
REPEATED_SECONDS = 5.0
"""Ray sends on what was set in the last 10 s, and soon forgets a gauge of which it hears nothing."""


class Repeated:
    """Gauges that hold their values until they are closed: a thread sets each again and again."""

    def __init__(self, gauges: Mapping[str, str], tags: tuple[str, ...]) -> None:
        """`gauges`: what each is, by name."""
        self._gauges = {name: Gauge(name, told, tags) for name, told in gauges.items()}
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._is_closed = Flag()
        Thread(target=self._repeat, name="metrics", daemon=True).start()

    def set(self, name: str, value: float, tags: Mapping[str, str]) -> None:
        self._values[name, tuple(tags.items())] = value
        self._gauges[name].set(value, dict(tags))

    def close(self) -> None:
        self._is_closed.set()

    def _repeat(self) -> None:
        while not self._is_closed.wait(REPEATED_SECONDS):
            for (name, tags), value in list(self._values.items()):
                self._gauges[name].set(value, dict(tags))


class SweepMetrics:
    """Hears every event of a conductor, in the driver."""

    def __init__(self, experiment: str, conductor: "Conductor") -> None:
        self._conductor, self._experiment = conductor, {"experiment": experiment}
        self._trials = Repeated({TRIALS: "Trials by state"}, ("experiment", "state"))
        self._score = Repeated({BEST_SCORE: "By what ranks trials"}, ("experiment", "by"))
        self._steps = Counter(STEPS, "Steps of all trials", ("experiment",))
        self._reached = {it.trial: it.step for it in conductor.trials.values()}
        self._best: tuple[float, float] | None = None
        """How it keeps the constraints, and its value; higher is better."""
        for record in conductor.trials.values():
            for metrics in record.reports.values():
                self._improve(record, metrics)
        self._count()

    def __call__(self, event: Event, record: TrialRecord) -> None:
        self._count()
        if event["kind"] == "report":
            self._improve(record, event["metrics"])
            before = self._reached.get(record.trial, 0)
            self._reached[record.trial] = max(before, record.step)
            if record.step > before:
                self._steps.inc(record.step - before, self._experiment)

    def close(self) -> None:
        self._trials.close()
        self._score.close()

    def _count(self) -> None:
        states = Count(record.state for record in self._conductor.trials.values())
        for state in STATES:
            self._trials.set(TRIALS, states[state], {**self._experiment, "state": state})

    def _improve(self, record: TrialRecord, metrics: Mapping[str, float]) -> None:
        """Sets the best score, in its own sense; of several goals without weights, of the first."""
        objective = self._conductor.objective
        found = objective.score(metrics)
        if found is None or record.is_repeated:
            return
        score = -found.violation, found.values[0]
        if self._best is None or score > self._best:
            self._best = score
            metric = objective.goals[0].metric
            by, value = ("score", score[1]) if objective.weights else (metric, metrics[metric])
            self._score.set(BEST_SCORE, value, {**self._experiment, "by": by})


class TrialMetrics(Tracker):
    """A run's speeds, from the process that trains."""

    def __init__(self, experiment: str, trial: str) -> None:
        self._tags = {"experiment": experiment, "trial": trial}
        self._gauges = Repeated(dict(OF_A_TRIAL.values()), tuple(self._tags))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for figure, (name, _) in OF_A_TRIAL.items():
            if figure in values:
                self._gauges.set(name, values[figure], self._tags)

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        """Holds no pictures."""

    def note(self, step: int, text: str) -> None:
        """Holds no text."""

    def close(self) -> None:
        self._gauges.close()
