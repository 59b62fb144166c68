"""Tells somebody's server what happens in a sweep: a small JSON by POST, which never holds the sweep up."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from raysweep.config import NotifyConfig
from raysweep.errors import ConfigError
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import Event
from raysweep.experiment.records import TrialRecord
from raysweep.experiment.results import Row, leaderboard

ANSWER_WITHIN_SECONDS = 5.0
"""After which a message counts as lost."""
LAST_WORDS_SECONDS = 15.0
"""That the end of a sweep waits for messages that are on their way."""

Message = Mapping[str, Any]
Listener = Callable[[Event, TrialRecord], None]


def address(config: NotifyConfig, environment: Mapping[str, str]) -> str | None:
    """Where to post to; ConfigError where the environment lacks it, or holds no web address.

    It is a secret, since who knows it may write there: no file and no message of ours contains it.
    """
    if config.url_variable is None:
        return None
    url = environment.get(config.url_variable, "")
    if not url.startswith(("http://", "https://")) or not _host(url):
        raise ConfigError(
            "notify.url_variable names an environment variable that holds an http(s) address, and "
            f"{config.url_variable} {'holds something else' if url else 'is not set'}. Export it, or leave "
            "notify.url_variable out."
        )
    return url


def _host(url: str) -> str | None:
    """What may be told of an address; None where it has none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


@contextmanager
def notifying(
    url: str | None, experiment: str, conductor: Conductor, tell: Callable[[str], None]
) -> Iterator[Listener]:
    """What to tell of every event of the conductor; `url` is told of the end of the block, too.

    None: nobody is told anything.
    """
    if url is None:
        yield lambda event, record: None
        return
    post = Post(url, tell)
    try:
        with Notifier(post.send, experiment, conductor) as notifier:
            yield notifier
    finally:
        post.close()


class Notifier:
    """Makes messages of what is worth one: a trial that failed, a trial that ended as the best of all so far, and
    the end of the block around it."""

    def __init__(
        self, send: Callable[[Message], None], experiment: str, conductor: Conductor
    ) -> None:
        self._send, self._experiment, self._conductor = send, experiment, conductor
        past = (
            record
            for record in conductor.trials.values()
            if record.is_over and not record.is_repeated
        )
        self._best = self._first(past)

    def __call__(self, event: Event, record: TrialRecord) -> None:
        if event["kind"] != "ended" or record.is_repeated:
            return
        if record.state in ("failed", "diverged"):
            self._tell("failure", f"trial {record.trial} {record.state}", record.trial)
            return
        best = self._best
        leaders = [record] if best is None else [self._conductor.trials[best.trial], record]
        first = self._first(leaders)
        if first is not None and first.trial == record.trial:
            self._best = first
            self._tell("best", f"trial {record.trial} is the best so far", record.trial, first)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        trial = "" if self._best is None else self._best.trial
        if kind is not None:
            self._tell("failure", f"the sweep ended by {kind.__name__}", trial, self._best)
        elif self._conductor.is_suspended:
            self._tell("end", "the sweep was paused", trial, self._best)
        elif not self._conductor.is_over:
            self._tell("failure", "the sweep was interrupted", trial, self._best)
        else:
            best = f"; trial {trial} is the best" if trial else ""
            self._tell("end", f"the sweep has ended{best}", trial, self._best)

    def _first(self, records: Iterable[TrialRecord]) -> Row | None:
        """The best of them; None where none has a score."""
        rows = leaderboard(records, self._conductor.objective)
        return rows[0] if rows and rows[0].score is not None else None

    def _tell(self, kind: str, text: str, trial: str, row: Row | None = None) -> None:
        objective = self._conductor.objective
        metrics = {} if row is None else {name: row.metrics[name] for name in objective.metrics}
        score = None if row is None else row.judged.get("score", metrics[objective.metrics[0]])
        said = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        self._send(
            {
                "event": kind,
                "experiment": self._experiment,
                "trial": trial,
                "score": score,
                "metrics": metrics,
                "text": f"{self._experiment}: {text}{f' ({said})' if said else ''}",
            }
        )


class Post:
    """Sends messages one after another, from a thread; `tell` hears once that one did not arrive."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        self._url, self._tell = url, tell
        self._waiting: SimpleQueue[Message | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="notify", daemon=True)
        self._thread.start()

    def send(self, message: Message) -> None:
        self._waiting.put(message)

    def close(self) -> None:
        """Waits for what is on its way, not for ever."""
        self._waiting.put(None)
        self._thread.join(LAST_WORDS_SECONDS)

    def _work(self) -> None:
        lost = 0
        while (message := self._waiting.get()) is not None:
            reason = self._lost(message)
            lost += bool(reason)
            if reason and lost == 1:
                self._tell(
                    f"a message to {_host(self._url)} did not arrive ({reason}). The sweep goes on, "
                    "and says no more about it."
                )

    def _lost(self, message: Message) -> str:
        """Why it did not arrive, without the address; empty: it did."""
        headers = {"Content-Type": "application/json"}
        try:
            request = Request(self._url, json.dumps(message).encode(), headers)
            with urlopen(request, timeout=ANSWER_WITHIN_SECONDS):
                return ""
        except HTTPError as error:
            return f"it answered {error.code}"
        except (OSError, HTTPException, ValueError) as error:  # whose text may hold the address
            return type(error).__name__
