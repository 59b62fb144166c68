"""What every scheduler is: an adviser that hears what trials report. It holds no more than a replay gives it."""

from collections.abc import Mapping
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

    def enter(self, trial: str, course: Course) -> None:
        """Once, and again with a later `last_step` where the trial is to go on beyond its end."""
        ...

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

    def worthy(self, finished: Mapping[str, Score]) -> list[str]:
        """Of trials at their end, with their scores there, those that a later end is worth its steps for."""
        ...

    def extend(self, last_step: int, finished: Mapping[str, Score]) -> None:
        """Trials end at `last_step` from now on; `finished` are those at the end of before."""
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

    def worthy(self, finished: Mapping[str, Score]) -> list[str]:
        return list(finished)

    def extend(self, last_step: int, finished: Mapping[str, Score]) -> None:
        pass


class PatientConfig(Config):
    """Every trial runs to its end."""

    kind: Literal["none"] = "none"

    def build(self, validate_every: int, last_step: int) -> Scheduler:
        return Patient()
