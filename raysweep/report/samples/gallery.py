"""The pictures of chosen trials, side by side where they are of the same frames."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import torch

from raysweep.data import DataConfig
from raysweep.errors import RaysweepError
from raysweep.experiment.carrier import fetch_kept, read_kept
from raysweep.experiment.layout import Experiment
from raysweep.report.samples.keeping import kept_or_made
from raysweep.report.samples.making import Sample, make_sample, open_checkpoint
from raysweep.report.samples.pictures import embedded
from raysweep.report.samples.shots import Amount, Shot, Shots, choose_shots
from raysweep.schema import Config


class Chosen(NamedTuple):
    """A trial to show."""

    key: str
    """In links; no other trial on the page has it."""
    label: str
    """Its name on the page, once there."""

    experiment: Experiment
    trial: str
    kept: str
    """Which best checkpoint, as Objective.kept_as."""
    data: DataConfig
    """The experiment's own: which frames validate."""
    store: Path
    """Where the experiment's frames lie."""
    reports: Mapping[int, Mapping[str, float]]
    """As TrialRecord."""


class Originals(Config):
    """The shots as they were filmed."""

    pictures: tuple[str, ...]
    """WebP as base64."""


class Shown(NamedTuple):
    chosen: Chosen
    sample: Sample


class Absent(NamedTuple):
    """A trial without pictures."""

    label: str
    reason: str


class Gallery(NamedTuple):
    """Trials that were shown the same frames."""

    side: int
    """Pixels of a frame, in height and width."""
    shots: Sequence[Shot]
    originals: Originals
    trials: Sequence[Shown]


class Galleries(NamedTuple):
    of: Sequence[Gallery]
    absent: Sequence[Absent]


def galleries(
    trials: Iterable[Chosen], amount: Amount, device: torch.device, tell: Callable[[str], None]
) -> Galleries:
    """`tell` hears a line before anything is made, which takes a pass of every shot through the trial's model."""
    shots_of = lru_cache(None)(partial(choose_shots, amount=amount))
    found: dict[str, Gallery] = {}
    absent = []
    for each in trials:
        try:
            shots = shots_of(each.store, each.data)
            sample = sample_of(each, shots, partial(_drawn, each, shots, device, tell))
            gallery = found.get(shots.digest) or _empty(each, shots)
        except (RaysweepError, FileNotFoundError) as error:  # a file of what was just replaced
            absent.append(Absent(each.label, str(error)))
        else:
            found[shots.digest] = gallery._replace(trials=[*gallery.trials, Shown(each, sample)])
    return Galleries(list(found.values()), absent)


def sample_of(chosen: Chosen, shots: Shots, make: Callable[[], Sample]) -> Sample:
    """What is kept of the trial's best checkpoint as it is now; where nothing is, what `make` gives, which is then kept."""
    measured = read_kept(chosen.experiment, chosen.trial, chosen.kept).decode()
    file = _folder(chosen, shots) / f"{chosen.trial}.json"
    return kept_or_made(file, f"{chosen.kept} {measured}", Sample, make)


def _drawn(
    chosen: Chosen, shots: Shots, device: torch.device, tell: Callable[[str], None]
) -> Sample:
    tell(f"drawing what trial {chosen.label} makes of {len(shots.of)} shots")
    fetch_kept(chosen.experiment, chosen.trial)
    source = chosen.experiment.best_checkpoint(chosen.trial, chosen.kept)
    return make_sample(open_checkpoint(source, device), shots, device)


def _empty(chosen: Chosen, shots: Shots) -> Gallery:
    """The originals alone, which are kept beside what the trial makes of them."""
    file = _folder(chosen, shots) / "originals.json"
    originals = kept_or_made(file, "originals", Originals, partial(_originals, shots))
    return Gallery(shots.side, shots.of, originals, [])


def _originals(shots: Shots) -> Originals:
    return Originals(pictures=tuple(map(embedded, shots.frames)))


def _folder(chosen: Chosen, shots: Shots) -> Path:
    return chosen.experiment.samples / shots.digest[:16]
