"""Stand-ins at the seams: an executor that is a plain loop, and a sweep small enough to play through."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from raysweep.config import SweepConfig
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.events import EventLog, read
from raysweep.schema import merge, parse
from raysweep.search.objective import Goal, Objective
from raysweep.search.study import Space
from search_spaces import smoke

PSNR = Objective((Goal("val/psnr", "max"),))
STEPS = (5, 10, 15, 20)
"""Where trials of `small_sweep` report."""

Formula = Callable[[Proposal, int], Mapping[str, float]]
"""A trial and a step -> what the validation there reports."""


def small_sweep(**settings) -> SweepConfig:
    """Six trials of 20 steps, a rung at 5 and one at 10; the third proposal is a modelled one."""
    search = {
        "name": "small",
        "space": "smoke",
        "base": smoke.BASE,
        "budget": {"trials": 6},
        "scheduler": {"kind": "asha", "min_peers": 2, "reduction_factor": 2},
        "sampler": {"startup_trials": 2},
    }
    return parse(SweepConfig, merge(search, settings))


@contextmanager
def driver(
    path: Path,
    sweep: SweepConfig | None = None,
    space: Space | None = smoke.space,
    objective: Objective = PSNR,
) -> Iterator[Conductor]:
    """Goes on from the events at `path`, as a new driver does."""
    with EventLog(path) as log:
        yield Conductor(sweep or small_sweep(), space, objective, log, read(path))


def by_weight(proposal: Proposal, step: int) -> dict[str, float]:
    """PSNR that rises with the steps and with one of the searched settings: each trial its own curve."""
    return {"val/psnr": step * proposal.config.loss.disc_weight, "val/ssim": 0.5}


def execute(
    conductor: Conductor,
    formula: Formula = by_weight,
    at_once: int = 1,
    errors: Mapping[str, str] | None = None,
) -> list[str]:
    """Runs all that is proposed, `at_once` side by side, a report each in turn; the ids in order of start.

    A trial that an earlier driver began goes on from its last report, which it tells again, as a trial
    that was resumed from its checkpoint does. Those in `errors` fail after their first report. A finalist's
    score on the test split is that of its last validation.
    """
    started: list[str] = []
    running: list[tuple[Proposal, list[int]]] = []
    while True:
        while len(running) < at_once and (proposal := conductor.propose()) is not None:
            conductor.start(proposal.trial)
            started.append(proposal.trial)
            done = conductor.trials[proposal.trial].step
            running.append((proposal, [step for step in STEPS if step >= done]))
        if not running:
            return started
        for proposal, steps in list(running):
            stopped = conductor.report(proposal.trial, steps[0], formula(proposal, steps.pop(0)))
            error = (errors or {}).get(proposal.trial, "")
            if proposal.is_tested and not (stopped or error or steps):
                last = formula(proposal, STEPS[-1])
                tested = {name.replace("val/", "test/"): value for name, value in last.items()}
                conductor.tested(proposal.trial, STEPS[-1], tested)
            if stopped or error or not steps:
                conductor.end(proposal.trial, error)
                running.remove((proposal, steps))


def known(conductor: Conductor) -> object:
    """All that a conductor knows, without the clock."""
    trials = {
        record.trial: replace(record, started=0.0, ended=0.0)
        for record in conductor.trials.values()
    }
    study = [
        (t.state, t.values, t.params, t.intermediate_values) for t in conductor.study.study.trials
    ]
    return trials, vars(conductor.scheduler), study
