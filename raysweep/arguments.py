"""The words of the command line: which command takes which, and what each is for. `cli.py` says what becomes of them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from raysweep.errors import UserError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}. See `{self.prog} --help`.")


def parser() -> argparse.ArgumentParser:
    """`command` of what it parses is the command's name; UserError where words are wrong."""
    top = _Parser(
        prog="raysweep", description="Finds, trains and exports the best discrete video tokenizer."
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, (summary, add_words) in COMMANDS.items():
        described = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(name, help=summary, description=described)
        command.set_defaults(command=name)
        add_words(command)
    return top


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--storage", default="runs", help="folder of experiments (default: runs)")


def _prepare(parser: argparse.ArgumentParser) -> None:
    _run_words(parser)
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


def _train(parser: argparse.ArgumentParser) -> None:
    _run_words(parser)
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


def _describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", type=Path, help="an exported model (default: the settings below)"
    )
    _settings_words(parser)


def _sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "space",
        nargs="?",
        help="a file of search_spaces/ (taming_vqgan, smoke), or the path of your own .py or .yaml",
    )
    parser.add_argument(
        "--tasks",
        type=Path,
        metavar="FOLDER",
        help="instead of a space: run every .json file of this folder, side by side",
    )
    _run_words(parser)
    parser.add_argument("--trials", type=int, help="trials to propose (default: budget.trials, 16)")
    parser.add_argument(
        "--warm-start",
        nargs="+",
        metavar="EXPERIMENT",
        help="earlier experiments, whose results the search knows from the start where they compare",
    )
    before = parser.add_mutually_exclusive_group()
    before.add_argument(
        "--dry-run", action="store_true", help="print what would run, and start nothing"
    )
    before.add_argument(
        "--estimate",
        action="store_true",
        help="time some steps of the cheapest and of the dearest trial here, print what the sweep would "
        "take, and start nothing",
    )
    parser.add_argument(
        "--price",
        type=float,
        metavar="DOLLARS",
        help="of an hour of a GPU: with --estimate, also in money",
    )
    _supervise_word(parser)


def _resume(parser: argparse.ArgumentParser) -> None:
    _experiment_word(parser)
    parser.add_argument(
        "--trials", type=int, metavar="N", help="propose N trials more than were asked for"
    )
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="train up to N steps: new and unfinished trials, and the best of those that finished",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="budget.LIMIT=VALUE",
        help="another limit of the search from now on, such as budget.hours=8",
    )
    parser.add_argument(
        "--if-died",
        action="store_true",
        help="as a supervisor does: only where the last driver died, and up to three times in a row without any "
        "trial's report; waits for the cluster",
    )
    _supervise_word(parser)


def _submit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        metavar="URL",
        help="of the cluster's dashboard (default: RAY_API_SERVER_ADDRESS, or a cluster of this machine)",
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME",
        help="a variable of this environment that goes along, such as WANDB_API_KEY; its value is not printed",
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="leave once it is submitted, rather than follow it"
    )
    parser.add_argument(
        "--supervise",
        action="store_true",
        help="go on when its driver or the head dies; this process is to outlive them",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check it, print the line that submits it, and start nothing",
    )
    parser.add_argument(
        "errand",
        nargs="+",
        metavar="-- COMMAND",
        help="sweep, train, resume or prepare, and its words",
    )


def _stop(parser: argparse.ArgumentParser) -> None:
    _experiment_word(parser)
    parser.add_argument("--trial", required=True, help="its id; its latest checkpoint stays")


def _enqueue(parser: argparse.ArgumentParser) -> None:
    _experiment_word(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="one setting over those that all trials share",
    )


def _status(parser: argparse.ArgumentParser) -> None:
    _experiment_word(parser)
    parser.add_argument(
        "--watch",
        action="store_true",
        help="stay, and show it as it changes, until its driver ends or Ctrl-C",
    )


def _export(parser: argparse.ArgumentParser) -> None:
    _experiment_word(parser)
    parser.add_argument(
        "--trial",
        default="best",
        help="a trial's id; best (default), the first that `raysweep status` lists: of several objectives the "
        "one on the Pareto front with the best first of them, and once finalists are confirmed, of the winner's "
        "seeds the one that validates best; or pareto, each on the front, under its id",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="what to write (default: EXPERIMENT/best, or best.ckpt; of pareto the folder EXPERIMENT/pareto)",
    )
    parser.add_argument(
        "--format",
        choices=("folder", "taming", "vqvae2"),
        default="folder",
        help="a folder (default), or one file for taming-transformers or vvvm23's vqvae-2",
    )


def _tokenize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="an exported model")
    parser.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FOOTAGE",
        help="folders, files, patterns, lists or addresses of it",
    )
    parser.add_argument(
        "--out",
        required=True,
        help="folder or address (s3://...) to write to; what is there is kept",
    )
    parser.add_argument(
        "--gpus",
        type=float,
        metavar="N",
        help="that each worker takes, such as 1 or 0.5 (default: 0.25 where the cluster has any, else 0)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="data.NAME=VALUE",
        help="how frames are made, over what the model was trained with, such as data.fps=8",
    )


def _doctor(parser: argparse.ArgumentParser) -> None:
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


def _experiment_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment")


def _settings_words(parser: argparse.ArgumentParser) -> None:
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


def _run_words(parser: argparse.ArgumentParser) -> None:
    _settings_words(parser)
    parser.add_argument(
        "--data", metavar="FOLDER", help="footage to read, or `demo` for generated videos"
    )
    parser.add_argument("--device", help="cpu, cuda or auto: whether a worker takes a GPU")
    parser.add_argument("--name", help="the experiment's name (default: the space's, or train)")
    parser.add_argument(
        "--storage", help="folder or address (s3://...) of experiments (default: runs)"
    )


def _supervise_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--supervise",
        action="store_true",
        help="run the driver in another process, and go on for it where it dies",
    )


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "demo": ("the whole job on generated videos: prepare, sweep, train, export", _demo),
    "prepare": ("decode footage once, into a store", _prepare),
    "train": ("train one model, or a trial's settings again", _train),
    "describe": ("a model's layers, size, compute and tokens; trains nothing", _describe),
    "sweep": ("search a space for the best tokenizer", _sweep),
    "resume": ("go on with an interrupted experiment, or extend one", _resume),
    "submit": ("run a command on a cluster, as a Ray job", _submit),
    "stop": ("end one trial of a sweep, which goes on without it", _stop),
    "enqueue": ("run a trial of given settings next, in a sweep", _enqueue),
    "pause": ("let every trial of a sweep rest from its next checkpoint on", _experiment_word),
    "unpause": ("go on with a sweep that was paused", _experiment_word),
    "status": ("the trials of an experiment, best first", _status),
    "export": ("write a trial's best model as a folder for raysweep.load", _export),
    "tokenize": ("turn footage into codes, as Parquet files to train on", _tokenize),
    "doctor": ("what machines lack to run trials, and what to do about it", _doctor),
}
"""Name -> what it is for, and what adds its words to a parser."""
