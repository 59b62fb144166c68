"""What a command is, and words that several of them take."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from raysweep.commands.plan import Request


class Command(NamedTuple):
    summary: str
    """What it is for, as `raysweep --help` says it."""
    add_words: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int | None]
    """Gives an exit code; None: done, as 0."""
    goes_on: str | None = None
    """What goes on from where Ctrl-C ended it; None: nothing does, it is given anew."""


RESUME, SAME = "`raysweep resume`", "the same command"
"""Of a Command.goes_on."""


def experiment_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment")


def model_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a folder that `raysweep export` wrote")


def device_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda, cuda:1, or auto (default): a GPU where there is one",
    )


def settings_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, help="YAML or JSON file of settings, or a param.json"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="one setting, such as training.steps=1000",
    )


def run_words(parser: argparse.ArgumentParser) -> None:
    settings_words(parser)
    parser.add_argument(
        "--data", metavar="FOLDER", help="footage to read, or `demo` for generated videos"
    )
    parser.add_argument("--device", help="cpu, cuda or auto: whether a worker takes a GPU")
    parser.add_argument("--name", help="the experiment's name (default: the space's, or train)")
    parser.add_argument(
        "--storage", help="folder or address (s3://...) of experiments (default: runs)"
    )


def supervise_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--supervise",
        action="store_true",
        help="run the driver in another process, and go on for it where it dies",
    )


def request_of(arguments: argparse.Namespace) -> "Request":
    from raysweep.commands.plan import Request

    return Request(
        name=arguments.name,
        storage=arguments.storage,
        config=arguments.config,
        data=arguments.data,
        assignments=arguments.set,
        trials=getattr(arguments, "trials", None),
        warm_start=getattr(arguments, "warm_start", None),
        device=arguments.device,
    )
