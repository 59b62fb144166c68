"""Commands that need no search: footage, one run, a model on paper, and what machines lack."""

import argparse
from pathlib import Path

from raysweep.cli.command import RESUME, SAME, Command, request_of, run_words, settings_words
from raysweep.errors import UserError


def _demo_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--storage", default="runs", help="folder of experiments (default: runs)")


def _demo(arguments: argparse.Namespace) -> None:
    from raysweep.commands.demo import demo

    demo(arguments.storage)


def _prepare_words(parser: argparse.ArgumentParser) -> None:
    run_words(parser)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--update",
        action="store_true",
        help="bring a store up to date with footage that was added, removed or replaced; experiments that "
        "read it then see other clips",
    )
    ways.add_argument(
        "--verify",
        action="store_true",
        help="read a finished store again, and name the shards that are damaged",
    )
    ways.add_argument(
        "--dry-run",
        action="store_true",
        help="print what would be read and made, and start nothing",
    )
    parser.add_argument(
        "--preview",
        nargs="?",
        const="",
        metavar="FILE",
        help="draw what the model will see, as a .png (default: preview.png in the store)",
    )


def _prepare(arguments: argparse.Namespace) -> None:
    from raysweep.commands import prepare

    request = request_of(arguments)
    if arguments.verify:
        return prepare.verify(request)
    if arguments.dry_run:
        return prepare.estimate(request)
    return prepare.prepare(request, update=arguments.update, preview=arguments.preview)


def _train_words(parser: argparse.ArgumentParser) -> None:
    run_words(parser)
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="EXPERIMENT",
        help="take the settings of a trial here",
    )
    parser.add_argument(
        "--trial", help="which one, with --from (default: best, the first of `raysweep status`)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would run, and start nothing"
    )


def _train(arguments: argparse.Namespace) -> None:
    from raysweep.commands import train

    if arguments.origin is None:
        if arguments.trial is not None:
            raise UserError("--trial goes with --from EXPERIMENT, which is missing. Name both.")
        return train.train(request_of(arguments), arguments.dry_run)
    given = [word for word in ("config", "data", "name", "storage") if getattr(arguments, word)]
    if given:
        raise UserError(
            f"--from takes all settings from a trial, and --{given[0]} was given. Change some with --set."
        )
    trial = arguments.trial or "best"
    return train.again(arguments.origin, trial, arguments.set, arguments.dry_run)


def _describe_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", type=Path, help="an exported model (default: the settings below)"
    )
    settings_words(parser)


def _describe(arguments: argparse.Namespace) -> None:
    from raysweep.commands.describe import describe
    from raysweep.commands.plan import Request

    describe(arguments.model, Request(config=arguments.config, assignments=arguments.set))


def _doctor_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        help="of a cluster, each of whose nodes is looked at (default: RAY_ADDRESS; without it this machine alone)",
    )
    parser.add_argument(
        "--storage",
        help="folder of experiments that every node is to write to (default: not looked at)",
    )
    parser.add_argument(
        "--fetch-weights",
        action="store_true",
        help="first fetch the networks of LPIPS and rFID to this machine, and copy them to every node",
    )


def _doctor(arguments: argparse.Namespace) -> None:
    from raysweep.commands.doctor import doctor

    doctor(arguments.address, arguments.storage, arguments.fetch_weights)


COMMANDS = {
    "demo": Command(
        "the whole job on generated videos: prepare, sweep, train, export",
        _demo_words,
        _demo,
        RESUME,
    ),
    "prepare": Command("decode footage once, into a store", _prepare_words, _prepare, SAME),
    "train": Command("train one model, or a trial's settings again", _train_words, _train, RESUME),
    "describe": Command(
        "a model's layers, size, compute and tokens; trains nothing", _describe_words, _describe
    ),
    "doctor": Command(
        "what machines lack to run trials, and what to do about it", _doctor_words, _doctor
    ),
}
