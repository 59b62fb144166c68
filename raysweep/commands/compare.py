"""Comparing experiments: the page, the table, and the page over HTTP."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from raysweep.commands.console import say, say_beside
from raysweep.commands.pictures import THE_BEST, Asked, pictures_section
from raysweep.commands.record import read_record
from raysweep.commands.standing import as_asked, standing
from raysweep.commands.status import told
from raysweep.errors import ConfigError, ExperimentError
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import is_driven, opened
from raysweep.full_disk import told_when_full
from raysweep.report.contest import Comparison, Contest, compare
from raysweep.report.page import page, sections
from raysweep.report.serving import Latest, digest, is_loopback, server
from raysweep.report.sheet import as_csv, as_json

PAGE = "report.html"
TERMINAL = "-"
"""Instead of a file: what the command prints."""


class Wanted(NamedTuple):
    """What is to be written; None: not that. Without any of them: the page, beside the first experiment's trials."""

    html: str | None = None
    csv: str | None = None
    json: str | None = None


def write(wheres: Sequence[str], wanted: Wanted, pictures: Asked = THE_BEST) -> None:
    """`wheres`: folders and addresses of experiments."""
    experiments = _opened(wheres)
    if not any(wanted):
        wanted = Wanted(html=str(_beside(experiments[0])))
    comparison = _compared(experiments)
    tell = say_beside if TERMINAL in wanted else say
    html = partial(_page, pictures=pictures, tell=tell)
    makers: dict[str, Callable[[Comparison], str]] = {"html": html, "csv": as_csv, "json": as_json}
    for form, place in wanted._asdict().items():
        if place is not None:
            _put(makers[form](comparison), place, tell)


def serve(wheres: Sequence[str], pictures: Asked, host: str, port: int) -> None:
    """Until it is interrupted; made anew when a driver has written something."""
    latest = _latest(wheres, pictures)
    latest.page()  # what is wrong shows now
    with server(latest, host, port) as listening:
        say(f"the page is at http://{_in_address(host)}:{listening.server_port}/; end with Ctrl-C")
        if not is_loopback(host):
            say(f"whoever reaches {host} can read it: there is no password")
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            say("ended")


def _latest(wheres: Sequence[str], pictures: Asked = THE_BEST) -> Latest:
    return Latest(
        lambda: _version(_opened(wheres)),
        lambda version: _page(_compared(_opened(wheres)), version, pictures),
    )


def _page(
    comparison: Comparison,
    version: str | None = None,
    pictures: Asked = THE_BEST,
    tell: Callable[[str], None] = say,
) -> str:
    """On a page that follows the sweep, pictures are of trials that are over."""
    names = [contest.name for contest in comparison.contests]
    overview, leaderboard, *others = sections(comparison)
    shown = pictures_section(comparison, pictures, tell, only_over=version is not None)
    return page(names, [overview, leaderboard, shown, *others], version)


def _compared(experiments: Sequence[Experiment]) -> Comparison:
    names = _names(experiments)
    return compare([_contest(*each) for each in zip(experiments, names, strict=True)])


def _opened(wheres: Sequence[str]) -> list[Experiment]:
    """Each once."""
    experiments = {it.folder: it for it in map(opened, wheres)}
    return list(experiments.values())


def _names(experiments: Sequence[Experiment]) -> list[str]:
    """The folders' names; the whole path where two are the same."""
    often = Counter(experiment.folder.name for experiment in experiments)
    return [it.folder.name if often[it.folder.name] == 1 else it.where for it in experiments]


def _contest(experiment: Experiment, name: str) -> Contest:
    now = standing(experiment)
    facts = experiment.validation_file
    known = json.loads(facts.read_text()) if facts.exists() else {}
    return Contest(
        name=name,
        experiment=experiment,
        asked=as_asked(experiment),
        sweep=now.sweep,
        objective=now.objective,
        ranked_by=told(now.objective),
        trials=now.trials,
        confirmed=now.confirmed,
        budget=now.budget,
        events=list(read(experiment.events)),
        recorded=read_record(experiment),
        mean_colour_psnr=known.get("mean_colour_psnr"),
        is_driven=is_driven(experiment),
    )


def _version(experiments: Sequence[Experiment]) -> str:
    """Other bytes in any log, or another driver: another word."""
    logs = [it.events.read_bytes() if it.events.exists() else b"" for it in experiments]
    return digest(*logs, *(bytes([is_driven(it)]) for it in experiments))


def _beside(experiment: Experiment) -> Path:
    if experiment.remote is not None:
        raise ExperimentError(
            f"a page lies on this machine, and {experiment.where} does not. Say where with --html FILE."
        )
    return experiment.folder / PAGE


def _put(text: str, place: str, tell: Callable[[str], None]) -> None:
    """At any moment the file is the old one or the new one."""
    if place == TERMINAL:
        sys.stdout.write(text)
        return
    path = Path(place).resolve()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with told_when_full(path):
            partial.write_text(text, encoding="utf-8", newline="")
            partial.replace(path)
    except OSError as error:
        raise ConfigError(
            f"what is written is a file in a folder that is there, and {place} is not: {error.strerror}. "
            "Name another one."
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink()
    tell(f"wrote {place}")


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
