"""Footage as codes: what a generative model trains on."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import Field

from raysweep.commands.console import say
from raysweep.commands.footage import require_frames
from raysweep.commands.progress import shown as shown_progress
from raysweep.commands.store_report import say_skipped
from raysweep.data import DataConfig
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.discover import discover
from raysweep.data.sources.places import shown
from raysweep.errors import ConfigError
from raysweep.pretrained import Pretrained, load
from raysweep.schema import Config, override, parse, parse_assignment
from raysweep.tokens.coding import packed
from raysweep.tokens.job import job
from raysweep.tokens.making import Plan, complete, plan
from raysweep.tokens.manifest import NAME, Tokens
from raysweep.tokens.output import output


class Reading(Preprocessing):
    """What of `data` says how footage is read."""

    max_bad_fraction: float = Field(default=0.5, ge=0, le=1)
    """As DataConfig's."""


class Asked(Config):
    data: Reading


def tokenize(
    folder: Path, footage: Sequence[str], where: str, gpus: float | None, assignments: Sequence[str]
) -> None:
    """`folder`: an exported model; `gpus`: that a worker takes, None: a share where there are any.

    What `where` holds of the same job is kept.
    """
    _check_gpus(gpus)
    model = load(folder)
    reading = _reading(model.config.data, assignments)
    sources = discover(footage, "none", images=reading.images, frame_folders=reading.frame_folders)
    asked = plan(job(model, reading.preprocessing, sources), sources, output(where))
    if asked.ended is not None and not asked.missing:
        _report("already tokenized:", asked.ended, asked)
        return
    require_frames(sources, reading.images)
    tokens = _completed(asked, model, gpus, shown(footage), reading.max_bad_fraction)
    _report("tokenized", tokens, asked)


def _completed(
    asked: Plan, model: Pretrained, gpus: float | None, footage: str, max_bad_fraction: float
) -> Tokens:
    from raysweep.cluster.runtime import connected  # here, since what is refused does without Ray
    from raysweep.cluster.tokenizing import on_all_nodes, workers

    with connected():
        run = partial(on_all_nodes, model=packed(model), workers=workers(gpus))
        with shown_progress() as progress:
            return complete(asked, footage, run, max_bad_fraction, progress)


def _check_gpus(gpus: float | None) -> None:
    if gpus is not None and (gpus < 0 or (gpus > 1 and gpus % 1)):
        raise ConfigError(
            f"--gpus is 0, a part of one GPU, or a whole number, got {gpus:g}. Give 0.5 or 1."
        )


def _reading(data: DataConfig, assignments: Sequence[str]) -> Reading:
    """As the model was trained, but for what is given here."""
    trained = data.model_dump(include=set(Reading.model_fields))
    changes = dict(map(parse_assignment, assignments))
    return parse(Asked, override({"data": trained}, changes)).data


def _report(word: str, tokens: Tokens, asked: Plan) -> None:
    footage, maps = tokens.footage, tokens.job.maps
    grids = " + ".join(f"{one.height}x{one.width}" for one in maps)
    what = "images" if footage.settings.images else f"frames of {len(footage.good):,} videos"
    skipped = f", {len(footage.skipped):,} skipped" if footage.skipped else ""
    files = f"{len(asked.shards):,} {'file' if len(asked.shards) == 1 else 'files'}"
    say(
        f"{word} {tokens.frames:,} {what}{skipped}, {grids} codes each, in {files} of {asked.output.where}"
    )
    say_skipped(footage, NAME)
