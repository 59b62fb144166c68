"""All that a search knows: a function of its event log, learnt one event at a time, new or replayed."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from raysweep.config import RunConfig, SweepConfig
from raysweep.experiment.account import Account
from raysweep.experiment.events import Event
from raysweep.experiment.extension import at_the_end
from raysweep.experiment.records import FROM_SPACE, TrialRecord
from raysweep.schema import Tree
from raysweep.search.objective import Objective, Score
from raysweep.search.schedulers import Advice, Course
from raysweep.search.study import Space, Study

OUTCOMES: dict[str, Literal["complete", "pruned", "failed"]] = {
    "finished": "complete",
    "stopped": "pruned",
    "diverged": "failed",
    "failed": "failed",
}
"""How a trial ended -> what the study is told."""


class Verdict(NamedTuple):
    """Why a trial does not run on after its last report."""

    state: str
    """What it is then: stopped or diverged, which are ends, or paused."""
    reason: str


class Knowledge:
    """`base`: the run that nothing is suggested for; its length and its validations give the rungs."""

    def __init__(
        self, sweep: SweepConfig, space: Space | None, objective: Objective, base: RunConfig
    ) -> None:
        self.objective, self.has_space = objective, space is not None
        self.account = Account(sweep, objective)
        self.trials, self.budget = self.account.trials, self.account.budget
        self.study = _study(sweep, space or _nothing, objective)
        training = base.training
        self.scheduler = sweep.scheduler.build(training.validate_every, training.steps)
        self.verdicts: dict[str, Verdict] = {}
        """Of trials that are still open: the next thing to write down."""
        self.to_stop: set[str] = set()
        """Trials that a person asked to stop."""
        self.honoured: set[str] = set()
        """Names of the requests that have become events."""
        self.sources: set[str] = set()
        """Trials of earlier experiments that the study was told of."""
        self.ends = 0
        """How often a trial has ended that may be a finalist."""
        self._courses: dict[str, Course] = {}
        self._usual = Course(training.steps, None)
        """Of trials that another experiment ran."""

    @property
    def sweep(self) -> SweepConfig:
        """As asked, and as extended since."""
        return self.account.sweep

    @property
    def is_suspended(self) -> bool:
        return self.account.is_suspended

    @property
    def is_searching(self) -> bool:
        """Whether new trials are to come."""
        is_spent = self.budget.over is not None or self.study.is_exhausted
        return self.has_space and not is_spent

    @property
    def search_is_over(self) -> bool:
        """Whether all trials that may be finalists have come to their end."""
        may_go_on = self.is_searching or self.promotable() is not None
        return not may_go_on and all(self.trials[trial].confirms for trial in self.open_trials())

    def open_trials(self) -> list[str]:
        return [record.trial for record in self.trials.values() if record.is_open]

    def promotable(self) -> str | None:
        """The paused trial that should go on first, where one has earned it."""
        return None if self.budget.cut else self.scheduler.promotable(self.is_searching)

    def replay(self, events: Iterable[Event]) -> None:
        """What an earlier driver wrote: the study makes the proposals that this one has not asked it for."""
        for event in events:
            if event["kind"] == "proposed" and event["origin"] == FROM_SPACE:
                self.study.propose(int(event["trial"]), event["params"])
            self.learn(event)

    def learn(self, event: Event) -> None:
        if event["kind"] == "extended" and event["last_step"] is not None:
            self._learn_later_end(event)
        self.account.learn(event)
        self.honoured.add(event.get("request", ""))
        if event["trial"]:
            self._learn_of_trial(event, self.trials[event["trial"]])
        elif event["kind"] == "known":
            self._learn_known(event)

    def _learn_of_trial(self, event: Event, record: TrialRecord) -> None:
        learn = {
            "proposed": self._learn_course,
            "report": self._judge,
            "stop": self._learn_stop,
            "paused": self._learn_pause,
            "promoted": self._learn_promotion,
            "retried": self._learn_retry,
            "ended": self._learn_end,
        }
        if event["kind"] in learn:
            learn[event["kind"]](event, record)

    def _learn_known(self, event: Event) -> None:
        self.sources.add(event["source"])
        scores = {step: self.objective.score(metrics) for step, metrics in event["reports"]}
        known = {step: score for step, score in scores.items() if score is not None}
        self.study.known(event["params"], known, event["outcome"], self._usual)

    def _learn_later_end(self, event: Event) -> None:
        """While the trials that go on are still those that have finished."""
        finished = at_the_end(self.trials.values(), self.objective)
        self.scheduler.extend(event["last_step"], finished)
        for trial in event["trials"]:
            if trial in finished:  # the study has been told of its end, and hears of another
                self.study.propose(int(trial), self.trials[trial].params)
            self._enter(trial, self._courses[trial]._replace(last_step=event["last_step"]))

    def _learn_course(self, event: Event, record: TrialRecord) -> None:
        if record.is_searched and "last_step" in event:
            self._enter(record.trial, Course(event["last_step"], event["gan_from"]))

    def _enter(self, trial: str, course: Course) -> None:
        self._courses[trial] = course
        self.scheduler.enter(trial, course)
        self.study.enter(int(trial), course)

    def _learn_stop(self, event: Event, record: TrialRecord) -> None:
        self.to_stop.add(record.trial)

    def _learn_promotion(self, event: Event, record: TrialRecord) -> None:
        self.scheduler.promoted(record.trial)

    def _learn_retry(self, event: Event, record: TrialRecord) -> None:
        """The study has been told of its failure, and hears of another end."""
        if not record.is_searched:
            return
        self.study.propose(int(record.trial), record.params)
        if record.trial in self._courses:  # not where its settings made no run
            self._enter(record.trial, self._courses[record.trial])
        for step, metrics in record.reports.items():
            score = self.objective.score(metrics)
            if score is not None:
                self.study.report(int(record.trial), step, score)

    def _learn_pause(self, event: Event, record: TrialRecord) -> None:
        self.verdicts.pop(record.trial, None)

    def _learn_end(self, event: Event, record: TrialRecord) -> None:
        self.verdicts.pop(record.trial, None)
        self.to_stop.discard(record.trial)
        self.ends += record.confirms is None
        if record.is_searched:
            self.scheduler.end(record.trial)
            self.study.tell(int(record.trial), OUTCOMES[record.state])

    def _judge(self, event: Event, record: TrialRecord) -> None:
        score = self.objective.score(event["metrics"])
        if score is None:
            missing = self.objective.missing(event["metrics"])
            reason = f"no finite {missing} at step {event['step']}"
            self.verdicts[record.trial] = Verdict("diverged", reason)
            return
        if record.is_searched:
            self.study.report(int(record.trial), event["step"], score)
            self._take_advice(record, event["step"], score)
        if event["step"] != record.last_step:
            self._overrule(record, event["step"])

    def _take_advice(self, record: TrialRecord, step: int, score: Score) -> None:
        advice = self.scheduler.report(record.trial, step, score)
        if advice is Advice.STOP:
            self.verdicts[record.trial] = Verdict("stopped", f"below its peers at step {step}")
        elif advice is Advice.PAUSE:
            self.verdicts[record.trial] = Verdict("paused", f"not among the best at step {step}")

    def _overrule(self, record: TrialRecord, step: int) -> None:
        """What stands above the scheduler's advice: a person, and the budget."""
        if record.trial in self.to_stop:
            self.verdicts[record.trial] = stopped_by_hand(record)
        elif record.is_searched and self.budget.cut:
            self.verdicts[record.trial] = self.cut_short(record)

    def cut_short(self, record: TrialRecord) -> Verdict:
        """Of a trial that runs, or is to, when the budget of the search is spent."""
        assert self.budget.cut is not None
        reason = f"budget.{self.budget.cut.setting} is spent, at step {record.step}"
        return Verdict("stopped", reason)


def stopped_by_hand(record: TrialRecord) -> Verdict:
    return Verdict("stopped", f"stopped by hand at step {record.step}")


def _study(sweep: SweepConfig, space: Space, objective: Objective) -> Study:
    values = len(objective.goals) if objective.is_pareto else 1
    constrained = bool(objective.constraints)
    return Study(space, sweep.sampler, sweep.seed, sweep.all_pinned, values, constrained)


def _nothing(trial: Any) -> Tree:
    return {}
