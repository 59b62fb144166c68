"""A sweep on Ray: Tune executes what the conductor decides."""

import shutil
from collections.abc import Mapping
from typing import Any

from ray import tune
from ray.exceptions import OutOfMemoryError
from ray.tune import TuneError

from raysweep.cluster import resources
from raysweep.cluster.footage import Footage
from raysweep.cluster.job import Job, Trainable
from raysweep.cluster.room import Room
from raysweep.cluster.scheduler import ConductedScheduler
from raysweep.cluster.searcher import ConductedSearcher
from raysweep.cluster.storage import placed
from raysweep.errors import RaysweepError
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import clear
from raysweep.full_disk import no_room, told_when_full


def execute(
    conductor: Conductor,
    experiment: Experiment,
    footage: Footage,
    trainables: Mapping[str, Trainable],
    *,
    room: Room,
) -> None:
    """Runs every trial that the conductor proposes, as many at a time as there is room for; Ray is connected."""
    capacity = resources.cluster_capacity()
    objective = conductor.objective

    def job_of(config: Mapping[str, Any]) -> Job:
        return Job(experiment, config["trial"], objective, config["is_tested"])

    def request(config: Mapping[str, Any]) -> tune.PlacementGroupFactory:
        cluster = job_of(config).config.cluster
        return tune.PlacementGroupFactory([resources.trial_request(cluster, capacity)])

    def run(config: Mapping[str, Any], footage: Footage) -> None:
        job = job_of(config)
        trainables[job.config.cluster.resolved_trainable](job, footage)

    scratch = experiment.folder / ".tune"

    def tuner() -> tune.Tuner:
        return tune.Tuner(
            tune.with_resources(tune.with_parameters(run, footage=footage), request),
            tune_config=tune.TuneConfig(
                search_alg=ConductedSearcher(conductor, experiment, room),
                scheduler=ConductedScheduler(conductor, room),
                num_samples=1_000_000,  # the conductor says when it is enough
                trial_dirname_creator=_turn_name,
                trial_name_creator=_turn_name,
            ),
            run_config=tune.RunConfig(name="tune", **placed(experiment, scratch), verbose=0),
        )

    try:
        with told_when_full(experiment.folder):
            while not runs_through(tuner(), conductor):
                pass
    except (
        EOFError
    ):  # at the end, from Tune's note of a failed trial: an empty file where the disk was full
        raise no_room(experiment.folder) from None
    except TuneError as error:
        if isinstance(error.__context__, RaysweepError):  # what the conductor said, as a traceback
            raise error.__context__ from None
        raise
    finally:
        room.others.leave()
    shutil.rmtree(scratch, ignore_errors=True)
    clear(experiment, scratch)


def runs_through(tuner: tune.Tuner, conductor: Conductor) -> bool:
    """Whether all went to its end. Where Ray ends a process since the memory of its machine is full, all of Tune ends,
    and the trials are in line again, to go on from their checkpoints.
    """
    try:
        tuner.fit()
    except RuntimeError as error:
        if not isinstance(error.__cause__, OutOfMemoryError):
            raise
        for trial in conductor.at_work:
            conductor.lost(trial, "the memory of a machine was full")
        return False
    return True


def _turn_name(trial: Any) -> str:
    """A trial that was paused and goes on is a new one to Tune."""
    return f"{trial.config['trial']}-{trial.trial_id}"
