"""The whole job once, on generated videos: each step is a command that also stands alone."""

import json
from pathlib import Path

from raysweep.cluster.resources import local_capacity
from raysweep.cluster.runtime import connected
from raysweep.commands import sweep as sweeps
from raysweep.commands.console import say, title
from raysweep.commands.export import export_trial
from raysweep.commands.plan import Plan, Request, check, compose
from raysweep.commands.spaces import LoadedSpace, load_space
from raysweep.data.sources.places import is_uri
from raysweep.errors import ConfigError, WeightsError
from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import replay
from raysweep.features.backbones import weights_file
from raysweep.pretrained import load
from raysweep.training.checkpoint import saved_metrics

NAME = "demo"
PERCEPTUAL_NET = "alex"
FINAL = {"training.steps": 600, "data.batch_size": 16}
"""The winner's second training: longer, and on twice the frames a step."""


def demo(storage: str) -> None:
    """Sweeps the space `demo`, trains the winner longer on two workers, exports the best of all."""
    if is_uri(storage):
        raise ConfigError(
            f"the demo writes into a folder of this machine, got --storage {storage}. Name one."
        )
    experiment, space = Experiment(Path(storage).resolve() / NAME), load_space(NAME)
    plan = None if experiment.sweep_file.exists() else _plan(space, storage)
    with connected():
        if plan is None:
            say(f"{experiment.folder} exists: going on with it (delete it to start afresh)")
            _command(f"raysweep resume {storage}/{NAME}")
            sweeps.resume(experiment)
        else:
            sweeps.start(plan, space)
        if all(record.is_searched for record in replay(read(experiment.events)).values()):
            _train_the_winner(experiment, storage)
        _command(f"raysweep export {storage}/{NAME}")
        model = export_trial(experiment, "best", None)
    _closing_screen(experiment, model)


def _plan(space: LoadedSpace, storage: str) -> Plan:
    weights = _perceptual_init()
    _command(f"raysweep sweep {NAME} --set loss.perceptual_init={weights}")
    request = Request(NAME, storage, assignments=[f"loss.perceptual_init={weights}"])
    return check(compose(request, space, NAME), space)


def _train_the_winner(experiment: Experiment, storage: str) -> None:
    workers = min(2, int(local_capacity().cpus))
    changes = {"cluster.trainable": "distributed", "cluster.workers": workers, **FINAL}
    words = " ".join(f"--set {path}={value}" for path, value in changes.items())
    _command(f"raysweep train --from {storage}/{NAME} {words}")
    sweeps.retrain(experiment, None, changes)


def _perceptual_init() -> str:
    """`pretrained` where the weights are here or can be fetched; the demo alone falls back by itself."""
    try:
        weights_file(PERCEPTUAL_NET, "pretrained")
    except WeightsError:
        say(
            f"no pretrained {PERCEPTUAL_NET} weights and no network: LPIPS uses untrained ones here"
        )
        return "random"
    return "pretrained"


def _closing_screen(experiment: Experiment, model: Path) -> None:
    metrics = saved_metrics(model)
    baseline = json.loads(experiment.validation_file.read_text())["mean_colour_psnr"]
    tokenizer = load(model).tokenizer
    parameters = sum(parameter.numel() for parameter in tokenizer.parameters())
    title("what was found")
    say(
        f"a tokenizer of {parameters:,} parameters that codes a pixel in "
        f"{metrics['val/bits_per_pixel']:.3f} bits, at {metrics['val/psnr']:.2f} dB PSNR on photographs it "
        f"never saw: {metrics['val/psnr'] - baseline:+.2f} dB over each frame's mean colour ({baseline:.2f} dB)"
    )
    title("where it lies")
    say(f"model        {model}")
    say(f"pictures     {model / 'reconstructions.png'}")
    say(f"leaderboard  {experiment.leaderboard}")
    say(f"curves       {experiment.trials}/*/tensorboard")
    title("use it")
    say(f"python -c \"import raysweep; print(raysweep.load('{model}').encode_video('video.mp4'))\"")


def _command(words: str) -> None:
    title(f"$ {words}")
