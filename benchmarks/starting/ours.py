"""Our trials, by the sweep's own executor; the footage tells when its first frames are read."""

import time
from pathlib import Path
from typing import Any

from raysweep.cluster.footage import Footage
from raysweep.cluster.room import Room
from raysweep.cluster.sweep import execute
from raysweep.config import SweepConfig
from raysweep.data.decoding.decode import Frames
from raysweep.data.reading.reader import Reader
from raysweep.data.storing.manifest import Manifest
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment
from raysweep.objectives import objective
from starting.course import Course, courses, mark
from trainables import TRAINABLES


class Marking:
    """A reader that leaves the time of its first reading in a file."""

    def __init__(self, reader: Reader, file: Path) -> None:
        self.reader, self.file = reader, file

    def read_batch(self, clips: Any, views: Any = None) -> Frames:
        mark(self.file)
        return self.reader.read_batch(clips, views)


def marking(footage: Footage, folder: Path) -> Footage:
    """Each process that opens it leaves a file."""

    def opened(manifest: Manifest) -> Reader:
        return Marking(footage.opened_by(manifest), folder / str(time.time_ns()))

    return Footage(footage.manifest, opened)


def ours(sweep: SweepConfig, footage: Footage, trials: int, folder: Path) -> list[Course]:
    experiment = Experiment(folder / "runs" / sweep.name)
    marks = folder / "marks" / sweep.name
    marks.mkdir(parents=True)
    with EventLog(experiment.events) as log:
        goal = objective(sweep.objective, sweep.constraints, sweep.run())
        conductor = Conductor(sweep, None, goal, log)
        for _ in range(trials):
            conductor.add({}, "by hand")
        room = Room(sweep.run().cluster, most=1)
        execute(conductor, experiment, marking(footage, marks), TRAINABLES, room=room)
    events = list(read(experiment.events))
    added = [event["time"] for event in events if event["kind"] == "started"]
    reported = {event["trial"]: event["time"] for event in events if event["kind"] == "report"}
    return courses(added, marks, list(reported.values()))
