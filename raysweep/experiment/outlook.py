"""How long a search still takes, by the speed of its trials so far and what is left of its budget."""

from collections.abc import Iterable, Iterator
from statistics import mean
from typing import NamedTuple

from raysweep.config import SweepConfig
from raysweep.experiment.events import Event
from raysweep.experiment.records import Records, TrialRecord
from raysweep.search.budget import Budget


class Speed(NamedTuple):
    steps: int
    seconds: float
    """In which they were made."""
    until: float
    """The end of these, in seconds since the epoch."""

    @property
    def steps_per_second(self) -> float:
        return self.steps / self.seconds if self.seconds else 0.0


def speed(events: Iterable[Event]) -> Speed:
    """Of all trials together, from the beginning of the driver that began last to its last event."""
    steps, since, until = 0, 0.0, 0.0
    reached: dict[str, int] = {}
    for event in events:
        if event["kind"] in ("closed", "restarted"):  # no driver was at work before them
            continue
        until = event["time"]
        if event["kind"] == "opened":
            steps, since = 0, until
        elif event["kind"] == "report":
            before = reached.get(event["trial"], 0)
            steps += max(0, event["step"] - before)
            reached[event["trial"]] = max(before, event["step"])
    return Speed(steps, until - since, until)


def trial_speeds(events: Iterable[Event]) -> dict[str, Speed]:
    """Of each trial, from its last start to its last report since; what it reports again from before counts not."""
    since: dict[str, float] = {}
    reached: dict[str, int] = {}
    speeds: dict[str, Speed] = {}
    for event in events:
        trial = event["trial"]
        if event["kind"] == "started":
            since[trial] = event["time"]
            speeds.pop(trial, None)
        elif event["kind"] == "report" and event["step"] > reached.get(trial, 0):
            steps = event["step"] - reached.get(trial, 0) + speeds.get(trial, Speed(0, 0, 0)).steps
            reached[trial] = event["step"]
            seconds = event["time"] - since.get(trial, event["time"])
            speeds[trial] = Speed(steps, seconds, event["time"])
    return speeds


def trial_seconds_left(record: TrialRecord, now: Speed) -> float | None:
    """From `now.until` on, to the end of a trial that nothing stops; None: it cannot be known."""
    if record.state != "running" or not (now.steps_per_second and record.last_step):
        return None
    return (record.last_step - record.step) / now.steps_per_second


def seconds_left(sweep: SweepConfig, trials: Records, budget: Budget, now: Speed) -> float | None:
    """From `now.until` on, to the end of the search and its confirmation; None: it cannot be known yet.

    Trials to come are taken to make as many steps as those that are over did.
    """
    if not now.steps_per_second:
        return None
    ends = list(_ends(sweep, trials, budget, now))
    if not ends:
        return None
    return min(ends) + _confirmation(sweep, trials) / now.steps_per_second


def _ends(sweep: SweepConfig, trials: Records, budget: Budget, now: Speed) -> Iterator[float]:
    """Seconds to each limit that will end the search, as far as it can be foreseen."""
    steps = _steps_to_come(sweep, trials, budget)
    if steps is not None:
        yield steps / now.steps_per_second
    for limit in budget.limits:
        left = limit.bound - limit.spent
        if limit.setting == "steps":
            yield left / now.steps_per_second
        elif limit.setting == "hours":
            yield left * 3600
        elif limit.setting == "gpu_hours" and budget.gpu_seconds:
            yield left * 3600 * budget.seconds / budget.gpu_seconds


def _steps_to_come(sweep: SweepConfig, trials: Records, budget: Budget) -> float | None:
    """Of trials that run or are to run, outside the confirmation; None: their number or length is open."""
    going = [record for record in trials.values() if record.is_open and record.confirms is None]
    by_hand = [record.last_step - record.step for record in going if not record.is_searched]
    searched = [record for record in going if record.is_searched]
    proposals = _proposals_to_come(sweep, budget)
    if not searched and proposals == 0:
        return sum(by_hand)
    typical = _typical_steps(sweep, trials)
    if typical is None or proposals is None:
        return None
    rest = [max(0.0, typical - record.step) for record in searched]
    return sum(by_hand) + sum(rest) + proposals * typical


def _proposals_to_come(sweep: SweepConfig, budget: Budget) -> int | None:
    if sweep.space is None or budget.over is not None:
        return 0
    return None if budget.config.trials is None else budget.config.trials - budget.trials


def _typical_steps(sweep: SweepConfig, trials: Records) -> float | None:
    searched = [record for record in trials.values() if record.is_searched]
    over = [record.step for record in searched if record.is_over]
    if over:
        return mean(over)
    is_stopped = sweep.scheduler.kind != "none"
    return None if is_stopped or not searched else mean(record.last_step for record in searched)


def _confirmation(sweep: SweepConfig, trials: Records) -> float:
    """Steps of the finalists' trials that are not over, all of which run in full."""
    if sweep.confirm is None:
        return 0.0
    confirming = [record for record in trials.values() if record.confirms is not None]
    longest = max((record.last_step for record in trials.values()), default=0)
    to_come = max(0, sweep.confirm.top * sweep.confirm.seeds - len(confirming))
    going = sum(record.last_step - record.step for record in confirming if record.is_open)
    return to_come * longest + going
