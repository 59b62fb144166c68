"""`raysweep doctor`: what is wrong with the machines, and what to do about it, before a sweep meets it."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from raysweep.commands.console import say, title
from raysweep.commands.health import Expected, Finding, drivers_gpus, examine, put_mark, remove_mark
from raysweep.errors import CheckFailed, ResourceError, WeightsError
from raysweep.experiment.provenance import provenance
from raysweep.features.published import PUBLISHED
from raysweep.features.weights import locate, place, place_of

if TYPE_CHECKING:
    from raysweep.cluster.nodes import Answer, Node, Offset

LARGEST_OFFSET_SECONDS = 1.0
"""Between clocks: lines of logs are compared, and clouds refuse requests that are signed at another time."""


def doctor(address: str | None, storage: str | None, fetch: bool) -> None:
    """Looks at this machine, and at every node of the cluster at `address` or $RAY_ADDRESS.

    CheckFailed where something is wrong.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    if storage is not None and "://" not in storage:
        storage = str(Path(storage).resolve())
    if fetch:
        _fetch()
    findings: list[Finding] = []
    with _marked(storage, findings) as mark:
        expected = Expected(provenance(), drivers_gpus(), storage, mark, is_in_cluster=False)
        findings += _shown("this machine", examine(expected))
        if address:
            findings += _cluster(address, expected, fetch)
    failed = sum(bool(finding.cure) for finding in findings)
    if failed:
        raise CheckFailed(f"{failed} of {len(findings)} checks failed, and each says what to do.")
    say(f"all {len(findings)} checks passed")


@contextmanager
def _marked(storage: str | None, findings: list[Finding]) -> Iterator[str]:
    """The name of a file that lies in the storage for the duration, where one can."""
    mark = f".doctor-{secrets.token_hex(4)}"
    put = None if storage is None else put_mark(storage, mark)
    if put is not None and put.cure:
        findings += _shown("the storage", [put])
    yield mark
    if storage is not None and put is not None and not put.cure:
        remove_mark(storage, mark)


def _cluster(address: str, expected: Expected, fetch: bool) -> list[Finding]:
    from raysweep.cluster.nodes import ask, clock_offset, joined

    def held_to(node: "Node") -> tuple[Expected]:
        return (expected._replace(gpus=node.gpus, is_in_cluster=True),)

    findings: list[Finding] = []
    try:
        with joined(address):
            if fetch:
                _distribute()
            for answer in ask(examine, held_to):
                clock = _clock(clock_offset(answer.node))
                findings += _shown(f"node {answer.node.address}", [*_found(answer), clock])
    except ResourceError as error:
        rule, _, cure = str(error).partition(". ")
        findings += _shown("the cluster", [Finding("cluster", rule, cure)])
    return findings


def _shown(where: str, findings: Iterable[Finding]) -> list[Finding]:
    """Prints a line for each."""
    title(where)
    shown = list(findings)
    for check, told, cure in shown:
        say(f"{'FAILED' if cure else 'ok':<8}{check:<10}{told}{f'. To do: {cure}' if cure else ''}")
    return shown


def _found(answer: "Answer[list[Finding]]") -> list[Finding]:
    if answer.value is not None:
        return answer.value
    cure = "install raysweep there as here, and look into the node's /tmp/ray/session_latest/logs"
    return [Finding("node", f"it does not answer: {answer.failure}", cure)]


def _clock(answer: "Answer[Offset]") -> Finding:
    cure = "run an NTP client there, such as chrony"
    if answer.value is None:
        return Finding("clock", answer.failure, cure)
    ahead, uncertainty = answer.value
    told = f"{ahead:+.2f} s from this machine's, to within {uncertainty:.2f} s"
    return Finding("clock", told, cure if abs(ahead) - uncertainty > LARGEST_OFFSET_SECONDS else "")


def _fetch() -> None:
    """To this machine, what is not there; what cannot be had is found missing afterwards."""
    title("fetching weights")
    for network, url in PUBLISHED.items():
        try:
            say(f"{network}: {locate(place_of(url).name, url, 'what needs it to something else')}")
        except WeightsError as error:
            say(f"{network}: {error}")


def _distribute() -> None:
    """From this machine to every node, one after another: the largest has half a gigabyte."""
    for path in map(place_of, PUBLISHED.values()):
        if path.is_file():
            _copy(path)


def _copy(path: Path) -> None:
    from raysweep.cluster.nodes import ask, share

    content = share(path.read_bytes())
    ask(partial(place, path.name), lambda node: (content,))
