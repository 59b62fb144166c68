"""What every scheduler is: an adviser that hears what trials report. It holds no more than a replay gives it."""

from enum import Enum
from typing import Literal, NamedTuple, Protocol

from raysweep.schema import Config
from raysweep.search.objective import Score


class Advice(Enum):
    """What becomes of a trial at one of its reports."""

    GO_ON = "go on"
    PAUSE = "pause"
    """It keeps its checkpoint, and may go on later."""
    STOP = "stop"


class Course(NamedTuple):
    """What is known of a trial before it starts."""

    last_step: int
    gan_from: int | None
    """Steps made before the discriminator has a say in the loss; None: it never has."""


class Scheduler(Protocol):
    """Trials enter, report and end in the order of the event log."""

    def enter(self, trial: str, course: Course) -> None: ...

    def report(self, trial: str, step: int, score: Score) -> Advice:
        """Takes in a validation; steps of one trial rise."""
        ...

    def end(self, trial: str) -> None:
        """The trial is over, whatever became of it."""
        ...

    def promotable(self, is_searching: bool) -> str | None:
        """The paused trial that should go on first, where one has earned it; nothing changes.

        `is_searching`: whether new trials are still to come.
        """
        ...

    def promoted(self, trial: str) -> None:
        """It went on."""
        ...


class Patient:
    """Lets every trial run to its end; what the others need not say."""

    def enter(self, trial: str, course: Course) -> None:
        pass

    def report(self, trial: str, step: int, score: Score) -> Advice:
        return Advice.GO_ON

    def end(self, trial: str) -> None:
        pass

    def promotable(self, is_searching: bool) -> str | None:
        return None

    def promoted(self, trial: str) -> None:
        raise AssertionError(f"{trial} was never paused")


class PatientConfig(Config):
    """Every trial runs to its end."""

    kind: Literal["none"] = "none"

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        return Patient()
