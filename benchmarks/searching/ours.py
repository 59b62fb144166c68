"""raysweep's conductor as it runs in a sweep, with its events kept in memory."""

from collections.abc import Mapping
from typing import Any

from raysweep.config import SweepConfig
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import Event
from raysweep.schema import Tree, override, parse
from raysweep.search.objective import Goal, Objective
from searching.curves import STEPS, VALIDATE_EVERY, World
from searching.play import Asked

UNBOUNDED = 1_000_000
"""Trials: a game ends by its steps."""


class Ours:
    def __init__(self, world: World, seed: int, settings: Mapping[str, Any]) -> None:
        """`settings`: of the sweep, by dotted path, such as `scheduler.min_peers`."""
        kind = world.kind
        asked: Tree = {
            "name": "search",
            "base": _base(kind.has_gan),
            "objective": kind.metric.removeprefix("val/"),
            "budget": {"trials": UNBOUNDED},
            "seed": seed,
        }
        sweep = parse(SweepConfig, override(asked, settings))
        objective = Objective((Goal(kind.metric, kind.direction),))
        self.conductor = Conductor(sweep, kind.space, objective, _Memory())

    def propose(self) -> Asked | None:
        proposal = self.conductor.propose()
        if proposal is None:
            return None
        self.conductor.start(proposal.trial)
        return Asked(proposal.trial, self.conductor.trials[proposal.trial].settings)

    def report(self, trial: str, step: int, metrics: Mapping[str, float]) -> bool:
        return not self.conductor.report(trial, step, metrics)

    def end(self, trial: str) -> None:
        self.conductor.end(trial)


def _base(has_gan: bool) -> Tree:
    training = {"steps": STEPS, "validate_every": VALIDATE_EVERY}
    return {"training": training} if has_gan else {"training": training, "loss": {"disc_weight": 0}}


class _Memory:
    """A log without a file."""

    def append(self, kind: str, trial: str, **details: Any) -> Event:
        return {"kind": kind, "trial": trial, "time": 0.0, **details}
