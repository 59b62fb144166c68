"""A destination of somebody else's: where it fails, training goes on without it."""

from collections.abc import Callable, Mapping

from raysweep.tracking.base import Picture, Tracker


class Guarded(Tracker):
    """Tells a destination until that fails once, which a note in the log says."""

    def __init__(
        self, name: str, begin: Callable[[], Tracker], log: Tracker, resume_step: int | None
    ) -> None:
        """`begin` makes the destination; `name` is for the note, `resume_step` as of `trackers`."""
        self._name, self._log = name, log
        self._step = resume_step or 0
        self._destination: Tracker | None = None
        self._attempt(lambda: self._keep(begin()))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._tell(step, lambda destination: destination.scalars(step, values))

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self._tell(step, lambda destination: destination.image(step, name, picture_HWC))

    def note(self, step: int, text: str) -> None:
        self._tell(step, lambda destination: destination.note(step, text))

    def close(self) -> None:
        self._tell(self._step, lambda destination: destination.close())

    def _keep(self, destination: Tracker) -> None:
        self._destination = destination

    def _tell(self, step: int, tell: Callable[[Tracker], None]) -> None:
        self._step = step
        if (destination := self._destination) is not None:
            self._attempt(lambda: tell(destination))

    def _attempt(self, act: Callable[[], None]) -> None:
        """All errors: these libraries have private ones, which nothing but Exception is the base of."""
        try:
            act()
        except Exception as error:
            self._destination = None
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            told = f"{self._name} failed, and is told nothing more: {reason}. Training goes on."
            self._log.note(self._step, told)
