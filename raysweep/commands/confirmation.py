"""Confirmation, as a person meets it: what it needs beforehand, and what it found."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from rich.table import Table

from raysweep.commands.console import console, say
from raysweep.commands.footage import store_of
from raysweep.data import DEMO, DataConfig
from raysweep.data.index.clips import index_clips
from raysweep.data.sources.discover import discover_for
from raysweep.data.sources.labels import Split
from raysweep.data.storing.manifest import is_finished, read_manifest
from raysweep.errors import ConfigError
from raysweep.experiment.confirmed import Confirmed, Lead, Spread, lead
from raysweep.search.objective import Objective

NO_TEST_SPLIT = (
    "confirm scores the finalists on a test split, and no footage is kept for one. Set "
    "data.test_fraction=0.1, or put footage into a folder test beside train and valid."
)


def require_test_split(data: DataConfig, storage: Path) -> None:
    """ConfigError where it can be seen that nothing is kept for a final score."""
    store = store_of(data, storage)
    if data.reading != "direct" and is_finished(store):
        is_there = bool(index_clips(read_manifest(store), "test", data))
    else:
        labels = _labels(data)
        is_there = "test" in labels if labels else data.test_fraction > 0
    if not is_there:
        raise ConfigError(NO_TEST_SPLIT)


def _labels(data: DataConfig) -> set[Split]:
    """What folders or lists say that files are for; none: `data.split` sets them apart."""
    if data.source is None:
        return set()
    if data.source == DEMO:  # not made yet
        return {"train", "valid"} if data.split in ("auto", "folders") else set()
    return {source.split for source in discover_for(data, data.source) if source.split}


def print_confirmed(rows: Sequence[Confirmed], objective: Objective) -> None:
    """A line for each finalist, and one about the first's lead."""
    if not rows:
        return
    table = Table(title="confirmed on the test split", title_justify="left")
    for heading in ("trial", "seeds", *map(_on_test, rows[0].figures), *_heading(objective)):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        figures = [*row.figures.values(), *([row.spread] if objective.weights else [])]
        table.add_row(row.trial, str(len(row.scores)), *map(_told, figures))
    console.print(table)
    if len(rows) > 1 and not objective.is_pareto:
        say(_lead_told(rows[0].trial, rows[1].trial, lead(*rows[:2])))


def _on_test(metric: str) -> str:
    return metric.replace("val/", "test/", 1)


def _heading(objective: Objective) -> list[str]:
    return ["weighted"] if objective.weights else []


def _told(figure: Spread) -> str:
    return f"{figure.mean:.3f}" + ("" if isnan(figure.deviation) else f" ± {figure.deviation:.3f}")


def _lead_told(first: str, second: str, found: Lead) -> str:
    verdict = "within noise" if found.is_noise else "more than noise"
    few = f"; of so few seeds, it is never below {found.least_p:.3f}" if found.is_never else ""
    how = f"exact permutation test, one-sided{few}"
    return f"the lead of {first} over {second} is {verdict}: p = {found.p:.3f} ({how})"
