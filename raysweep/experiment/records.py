"""What is known of each trial: a replay of the events, and nothing else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from raysweep.config import RunConfig, SweepConfig, over, prolonged
from raysweep.experiment.events import Event
from raysweep.schema import Tree

FROM_SPACE = "space"
"""`origin` of trials that the search proposed; others say who added them."""
ENQUEUED = "enqueued"
"""Of trials that a person put in line while the search was at work."""
CONFIRMS = "confirm "
"""`origin` of trials that are a finalist with another seed, before its id."""
RETRAINS = "from "
"""`origin` of trials that a person made of another one, before its id."""


@dataclass
class TrialRecord:
    """`state`: proposed, running, suspended (to run on, though nothing decided that it should rest), paused,
    promoted (to run on), stopped (early), finished, diverged or failed."""

    trial: str
    origin: str
    params: Tree
    """Searched parameters by dotted path."""
    settings: Tree
    """All that the space (or a person) set, by dotted path."""
    state: str = "proposed"
    reason: str = ""
    """Why it ended or paused, in a line."""
    reports: dict[int, dict[str, float]] = field(default_factory=dict)
    """Metrics by step."""
    tested: dict[str, float] = field(default_factory=dict)
    """Metrics of its best checkpoint on the test split (`test/psnr`); empty: it is no finalist, or not yet."""
    started: float = 0.0
    ended: float = 0.0
    """Seconds since the epoch; 0: not yet."""
    executed_as: str = ""
    """The executor's own name for its last start."""
    begun_steps: int = 0
    """How long its run was to be when it was proposed; 0: not known."""
    last_step: int = 0
    """How long it is to be now."""
    losses: int = 0
    """Times in a row that a process of it died, and it came no further in between."""

    @property
    def is_open(self) -> bool:
        """Whether it runs, or is to."""
        return self.state in ("proposed", "promoted", "running", "suspended")

    @property
    def is_over(self) -> bool:
        """Whether it runs no more, unless an extension lets it go on."""
        return not self.is_open and self.state != "paused"

    def state_while(self, is_driven: bool) -> str:
        """As told: a trial runs only while a driver is at work, and without one is `interrupted`."""
        return "interrupted" if self.state == "running" and not is_driven else self.state

    @property
    def is_searched(self) -> bool:
        return self.origin == FROM_SPACE

    @property
    def confirms(self) -> str | None:
        """The finalist that this trial is, with another seed; None: none."""
        return self.origin.removeprefix(CONFIRMS) if self.origin.startswith(CONFIRMS) else None

    @property
    def is_repeated(self) -> bool:
        """Whether its settings are another trial's, and no find of the search."""
        return self.origin.startswith((CONFIRMS, RETRAINS))

    @property
    def step(self) -> int:
        return max(self.reports, default=0)


Records = dict[str, TrialRecord]
"""By trial id, in order of proposal."""


def counted(records: Iterable[TrialRecord], is_driven: bool) -> str:
    """`2 running, 1 paused, 5 stopped`."""
    states = Counter(record.state_while(is_driven) for record in records)
    return ", ".join(f"{number} {state}" for state, number in states.items())


def run_of(sweep: SweepConfig, record: TrialRecord) -> RunConfig:
    """The trial's run, as long as the sweep's are now; ConfigError where its settings make no valid one together."""
    resolve = sweep.run if record.is_searched else sweep.run_by_hand
    return resolve(record.settings)


def in_its_length(run: RunConfig, record: TrialRecord) -> RunConfig:
    """The trial's run, as long as it was to be when it was proposed, or as it was extended to."""
    return prolonged(run, record.begun_steps, record.last_step) if record.last_step else run


def ran_with(sweep: SweepConfig, record: TrialRecord) -> Tree:
    """What the trial's run has beside base and pins, which another one has anyway; pins overruled a searched one."""
    ran = record.settings
    if record.is_searched:
        seen = over(record.settings, sweep.pinned)
        ran = {path: value for path, value in seen.items() if path not in sweep.pinned}
    return over(ran, _own_length(sweep, record))


def _own_length(sweep: SweepConfig, record: TrialRecord) -> Tree:
    """Where the search was extended since: how long the trial's run is, and when its GAN starts."""
    if not record.last_step:
        return {}
    now = run_of(sweep, record)
    own = in_its_length(now, record)
    if now.training.epochs is not None or own == now:
        return {}
    return {"training.steps": own.training.steps, "loss.disc_start": own.loss.disc_start}


def confirming(records: Iterable[TrialRecord]) -> dict[str, list[TrialRecord]]:
    """By finalist, the trials that are it with another seed; not those that ran for less, before an extension."""
    records = list(records)
    lengths = {record.trial: record.last_step for record in records}
    found: dict[str, list[TrialRecord]] = {}
    for record in records:
        if record.confirms is None or 0 < record.last_step < lengths.get(record.confirms, 0):
            continue
        found.setdefault(record.confirms, []).append(record)
    return found


def replay(events: Iterable[Event]) -> Records:
    records: Records = {}
    for event in events:
        if event["kind"] == "extended":
            prolong(records, event)
        elif event["trial"]:
            apply(records, event)
    return records


def prolong(records: Records, event: Event) -> None:
    """The trials that an extension names go on to its end, or are to."""
    for trial in event["trials"]:
        record = records[trial]
        record.last_step = event["last_step"]
        if record.state == "finished":
            record.state, record.reason, record.ended = "promoted", "", 0.0


def apply(records: Records, event: Event) -> TrialRecord:
    """Brings `records` up to `event`, which is one of a trial; returns the trial's record."""
    trial = event["trial"]
    if event["kind"] == "proposed":
        records[trial] = TrialRecord(trial, event["origin"], event["params"], event["settings"])
        records[trial].begun_steps = records[trial].last_step = event.get("last_step", 0)
    record = records[trial]
    if event["kind"] == "started":
        record.state, record.reason = "running", ""
        record.started = record.started or event["time"]
        record.executed_as = event.get("executed_as", "")
    elif event["kind"] in ("promoted", "retried"):
        record.state, record.reason, record.ended = "promoted", "", 0.0
        record.losses = 0
    elif event["kind"] in ("paused", "suspended"):
        record.state, record.reason = event["kind"], event["reason"]
        record.losses += event.get("is_lost", False)
    elif event["kind"] == "report":
        record.losses = 0
        record.reports[event["step"]] = event["metrics"]
    elif event["kind"] == "tested":
        record.tested = event["metrics"]
    elif event["kind"] == "ended":
        record.state, record.reason, record.ended = event["state"], event["reason"], event["time"]
    return record
