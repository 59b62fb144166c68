"""Experiments to compare: a sweep that nobody trained, and one that means harm."""

import json
from pathlib import Path

from paging.made_up import make

from raysweep.commands.compare import _compared
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import opened
from raysweep.report.contest import Comparison

NASTY = """</script><script>window.pwned = 1</script><img src=x onerror="pwned=1"><a href="https://evil.example">'"&{{ 7*7 }}"""
ODD_NAME = """it's "odd" <b>&"""
"""Of a folder on the way to an experiment."""


def swept(folder: Path, trials: int = 24, validations: int = 10) -> Experiment:
    return make(folder, trials, validations)


def hostile(folder: Path) -> Experiment:
    """The same, with a trial whose origin, settings, metrics and end are as nasty as can be."""
    experiment = swept(folder / ODD_NAME / "hostile")
    trial = {"trial": "0024", "time": 1.9e9}
    settings = {"model.quantizer.kind": NASTY, NASTY: NASTY}
    asked = {"params": {}, "settings": settings}
    metrics = {"val/psnr": 20.0, "val/bits_per_pixel": 0.05, f"val/{NASTY}": 1.0}
    events = [
        {"kind": "proposed", "origin": NASTY, **asked},
        {"kind": "started"},
        {"kind": "report", "step": 10_000, "metrics": metrics},
        {"kind": "ended", "state": "failed", "reason": NASTY},
    ]
    append(experiment, *({**event, **trial} for event in events))
    return experiment


def append(experiment: Experiment, *events: dict) -> None:
    with experiment.events.open("a") as log:
        log.writelines(json.dumps(event) + "\n" for event in events)


def compared(*experiments: Experiment) -> Comparison:
    return _compared([opened(str(experiment.folder)) for experiment in experiments])
