"""Tune tells here what trials report; the conductor decides."""

from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from raysweep.cluster.deaths import error_of, how_it_died, is_death, last_line, want_of_storage
from raysweep.cluster.room import Room
from raysweep.experiment.conductor import Conductor


class ConductedScheduler(FIFOScheduler):
    """Trials start in the order they were proposed; reports and ends go to the conductor.

    A paused trial that goes on is another trial to Tune: what Tune still says of the one before it is no
    news of ours.
    """

    def __init__(self, conductor: Conductor, room: Room) -> None:
        super().__init__()
        self.conductor, self.room = conductor, room
        self._turns: dict[str, str] = {}
        """Our trial -> the trial that it now is to Tune."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune's snapshots hold nothing of ours: the event log is the memory."""
        return {}

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        self._turns[trial.config["trial"]] = trial.trial_id
        self.conductor.start(trial.config["trial"], executed_as=trial.trial_id)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        if not self._has_turn(trial):
            return str(TrialScheduler.STOP)
        metrics = {name: float(value) for name, value in result.items() if _is_metric(name, value)}
        about = trial.config["trial"], int(result["step"])
        if any(name.startswith("test/") for name in metrics):
            self.conductor.tested(*about, metrics)
            return str(TrialScheduler.CONTINUE)
        stop = self.conductor.report(*about, metrics)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        if self._has_turn(trial):
            self.conductor.end(trial.config["trial"])

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        if not self._has_turn(trial):
            return
        error = error_of(trial)
        if (want := want_of_storage(error)) is not None:
            raise want  # all trials have that storage: the sweep ends, and each goes on when it is resumed
        if is_death(error):
            self.conductor.lost(trial.config["trial"], how_it_died(error))
        else:
            self.conductor.end(trial.config["trial"], error=last_line(error))

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Tune asks all the time. Where a person has paused the whole, what has not begun does not begin."""
        self.room.beat(self.conductor)
        if self.conductor.is_suspended:
            for trial in list(tune_controller.get_live_trials()):
                if trial.status == Trial.PENDING:
                    self.conductor.suspend(trial.config["trial"])
                    tune_controller.stop_trial(trial)
        return super().choose_trial_to_run(tune_controller)

    def _has_turn(self, trial: Trial) -> bool:
        return self._turns[trial.config["trial"]] == trial.trial_id


def _is_metric(name: str, value: object) -> bool:
    ours = name.startswith(("val/", "train/", "test/")) or name == "diverged"
    return ours and isinstance(value, (int, float))
