"""Scoring a model, or two side by side, on any footage."""

import os
from dataclasses import dataclass
from pathlib import Path

from raysweep.commands.advance import advancing
from raysweep.commands.console import say
from raysweep.commands.device import device_of
from raysweep.commands.models import open_model
from raysweep.commands.scores import print_scores, write_csv, write_json
from raysweep.commands.to_score import Wanted, footage_for
from raysweep.config import RunConfig
from raysweep.errors import ConfigError, WeightsError
from raysweep.evaluation.run import run
from raysweep.evaluation.sheet import sheet
from raysweep.export.again import measurable
from raysweep.schema import override, parse
from raysweep.tracking.pictures import save_png

WITHOUT = {"val/lpips": "Without LPIPS: --lpips none.", "val/rfid": "Without rFID: --rfid off."}


@dataclass(frozen=True)
class Asked:
    """What a person wrote; None: nothing."""

    model: str
    trial: str | None = None
    against: str | None = None
    against_trial: str | None = None
    data: str | None = None
    split: str | None = None
    native: bool = False
    lpips: str | None = None
    rfid: str | None = None
    device: str = "auto"
    csv: Path | None = None
    json: Path | None = None
    picture: Path | None = None


def evaluate(asked: Asked) -> None:
    """Prints the figures, and writes what was asked for."""
    _require_writable(asked)
    if asked.against_trial is not None and asked.against is None:
        raise ConfigError("--against-trial goes with --against, which is missing. Name both.")
    device = device_of(asked.device)
    named = [open_model(asked.model, asked.trial, device)]
    if asked.against is not None:
        named.append(open_model(asked.against, asked.against_trial, device))
    measured = _measured(named[0].model.config, asked)
    footage = footage_for(Wanted(asked.data, asked.split, asked.native), named, measured)
    with advancing("evaluating", footage.frames) as advance:
        found = run([one.model for one in named], measured, footage, advance)
    names = [one.name for one in named]
    title = f"{' and '.join(names)} on {footage.title}"
    print_scores(footage.title, names, found.scores)
    for line in footage.told:
        say(line)
    if asked.csv is not None:
        write_csv(asked.csv, found.scores)
    if asked.json is not None:
        write_json(asked.json, title, names, found.scores, footage.told)
    if asked.picture is not None:
        save_png(sheet(title, names, found.extremes), asked.picture)
        say(f"the best and the worst frames: {asked.picture}")


def _measured(run: RunConfig, asked: Asked) -> RunConfig:
    """Whose networks LPIPS and rFID see with; WeightsError where they cannot be had."""
    named = {"loss.perceptual_net": asked.lpips, "training.rfid": asked.rfid}
    changes = {path: value for path, value in named.items() if value is not None}
    if asked.lpips is not None and asked.lpips != run.loss.perceptual_net:
        changes["loss.perceptual_init"] = "pretrained"
    measured = parse(RunConfig, override(run.model_dump(), changes))
    for metric, why in measurable(measured).left_out.items():
        raise WeightsError(f"{why} {WITHOUT[metric]}")
    return measured


def _require_writable(asked: Asked) -> None:
    """ConfigError unless every file can be written, before the work of hours."""
    if asked.picture is not None and asked.picture.suffix.lower() != ".png":
        raise ConfigError(f"--picture writes a .png file, got {asked.picture}. Name one.")
    for word in ("csv", "json", "picture"):
        file: Path | None = getattr(asked, word)
        if file is None:
            continue
        folder = file.absolute().parent
        if file.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise ConfigError(
                f"--{word} needs a file in a folder that can be written to, got {file}. Name another one."
            )
