"""Our trials, by the sweep's own executor."""

from pathlib import Path

from raysweep.cluster.footage import Footage
from raysweep.cluster.room import Room
from raysweep.cluster.sweep import execute
from raysweep.config import SweepConfig
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment
from raysweep.objectives import objective
from starting.course import Course, courses
from starting.marking import marking
from trainables import TRAINABLES


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
