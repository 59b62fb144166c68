"""Tells a sweep as it happens: a line per event."""

from raysweep.commands.console import say
from raysweep.commands.status import short_settings
from raysweep.experiment.events import Event
from raysweep.experiment.records import TrialRecord
from raysweep.search.objective import Objective
from raysweep.training.loop import LATEST


class Narrator:
    """Hears every event of a conductor."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def __call__(self, event: Event, record: TrialRecord) -> None:
        tell = {
            "proposed": self._proposed,
            "report": self._reported,
            "tested": self._tested,
            "stop": self._asked_to_stop,
            "paused": self._halted,
            "suspended": self._halted,
            "promoted": self._promoted,
            "ended": self._halted,
        }
        if event["kind"] in tell:
            say(f"  {record.trial}  {tell[event['kind']](event, record)}")

    def _proposed(self, event: Event, record: TrialRecord) -> str:
        searched = {path: record.settings[path] for path in record.params}
        return f"starts     {short_settings(searched) or record.origin}"

    def _reported(self, event: Event, record: TrialRecord) -> str:
        return f"step {event['step']:<6}{self._figures(event, 'val/')}"

    def _tested(self, event: Event, record: TrialRecord) -> str:
        return f"tested     {self._figures(event, 'test/')}"

    def _figures(self, event: Event, split: str) -> str:
        shown = ("val/psnr", "val/lpips", "val/lpips_random", "val/code_usage")
        names = [name.replace("val/", split, 1) for name in (*self.objective.metrics, *shown)]
        figures = [
            f"{name.removeprefix(split)} {event['metrics'][name]:.3f}"
            for name in dict.fromkeys(names)
            if name in event["metrics"] and name != LATEST
        ]
        return ", ".join([*self._weighted(event), *figures])

    def _weighted(self, event: Event) -> list[str]:
        score = self.objective.score(event["metrics"]) if self.objective.weights else None
        return [] if score is None else [f"score {score.values[0]:.3f}"]

    def _asked_to_stop(self, event: Event, record: TrialRecord) -> str:
        return "is to stop, as a person asked"

    def _promoted(self, event: Event, record: TrialRecord) -> str:
        return f"goes on    from step {record.step}"

    def _halted(self, event: Event, record: TrialRecord) -> str:
        return f"{record.state:<10} {record.reason}".rstrip()
