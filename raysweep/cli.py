"""The command line: words in, a call and an exit code out. 0 done, 1 it failed, 2 the input is wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from raysweep.errors import RaysweepError, UserError

if TYPE_CHECKING:
    from raysweep.commands.plan import Request

Command = Callable[[argparse.Namespace], None]


def main(words: Sequence[str] | None = None) -> int:
    try:
        arguments = _parser().parse_args(words)
        arguments.command(arguments)
    except UserError as error:
        print(f"raysweep: {_one_line(error)}", file=sys.stderr)
        return 2
    except RaysweepError as error:
        print(f"raysweep: {_one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("raysweep: interrupted; `raysweep resume` goes on from here", file=sys.stderr)
        return 1
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}. See `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="raysweep", description="Finds, trains and exports the best discrete video tokenizer."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    demo = _add(
        commands, "demo", _demo, "the whole job on generated videos: prepare, sweep, train, export"
    )
    demo.add_argument("--storage", default="runs", help="folder of experiments (default: runs)")

    prepare = _add(commands, "prepare", _prepare, "decode footage once, into a store")
    _add_run_arguments(prepare)
    ways = prepare.add_mutually_exclusive_group()
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
    prepare.add_argument(
        "--preview",
        nargs="?",
        const="",
        metavar="FILE",
        help="draw what the model will see, as a .png (default: preview.png in the store)",
    )

    train = _add(commands, "train", _train, "train one model, or a trial's settings again")
    _add_run_arguments(train)
    train.add_argument(
        "--from",
        dest="origin",
        metavar="EXPERIMENT",
        help="take the settings of a trial here",
    )
    train.add_argument(
        "--trial", help="which one, with --from (default: best, the first of `raysweep status`)"
    )
    train.add_argument(
        "--dry-run", action="store_true", help="print what would run, and start nothing"
    )

    describe = _add(
        commands,
        "describe",
        _describe,
        "a model's layers, size, compute and tokens; trains nothing",
    )
    describe.add_argument(
        "model", nargs="?", type=Path, help="an exported model (default: the settings below)"
    )
    _add_settings_arguments(describe)

    sweep = _add(commands, "sweep", _sweep, "search a space for the best tokenizer")
    sweep.add_argument(
        "space",
        nargs="?",
        help="a file of search_spaces/ (taming_vqgan, smoke), or the path of your own .py or .yaml",
    )
    sweep.add_argument(
        "--tasks",
        type=Path,
        metavar="FOLDER",
        help="instead of a space: run every .json file of this folder, side by side",
    )
    _add_run_arguments(sweep)
    sweep.add_argument("--trials", type=int, help="trials to propose (default: budget.trials, 16)")
    sweep.add_argument(
        "--warm-start",
        nargs="+",
        metavar="EXPERIMENT",
        help="earlier experiments, whose results the search knows from the start where they compare",
    )
    sweep.add_argument(
        "--dry-run", action="store_true", help="print what would run, and start nothing"
    )

    resume = _add(
        commands, "resume", _resume, "go on with an interrupted experiment, or extend one"
    )
    resume.add_argument("experiment")
    resume.add_argument(
        "--trials", type=int, metavar="N", help="propose N trials more than were asked for"
    )
    resume.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="train up to N steps: new and unfinished trials, and the best of those that finished",
    )
    resume.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="budget.LIMIT=VALUE",
        help="another limit of the search from now on, such as budget.hours=8",
    )

    stop = _add(commands, "stop", _stop, "end one trial of a sweep, which goes on without it")
    stop.add_argument("experiment")
    stop.add_argument("--trial", required=True, help="its id; its latest checkpoint stays")

    enqueue = _add(commands, "enqueue", _enqueue, "run a trial of given settings next, in a sweep")
    enqueue.add_argument("experiment")
    enqueue.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="one setting over those that all trials share",
    )

    status = _add(commands, "status", _status, "the trials of an experiment, best first")
    status.add_argument("experiment")

    export = _add(
        commands, "export", _export, "write a trial's best model as a folder for raysweep.load"
    )
    export.add_argument("experiment")
    export.add_argument(
        "--trial",
        default="best",
        help="a trial's id; best (default), the first that `raysweep status` lists: of several objectives the "
        "one on the Pareto front with the best first of them, and once finalists are confirmed, of the winner's "
        "seeds the one that validates best; or pareto, each on the front, under its id",
    )
    export.add_argument(
        "--out",
        type=Path,
        help="what to write (default: EXPERIMENT/best, or best.ckpt; of pareto the folder EXPERIMENT/pareto)",
    )
    export.add_argument(
        "--format",
        choices=("folder", "taming", "vqvae2"),
        default="folder",
        help="a folder (default), or one file for taming-transformers or vvvm23's vqvae-2",
    )
    return parser


def _add(
    commands: "argparse._SubParsersAction[_Parser]", name: str, command: Command, summary: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    parser.set_defaults(command=command)
    return parser


def _add_settings_arguments(parser: argparse.ArgumentParser) -> None:
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


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    _add_settings_arguments(parser)
    parser.add_argument(
        "--data", metavar="FOLDER", help="footage to read, or `demo` for generated videos"
    )
    parser.add_argument("--device", help="cpu, cuda or auto: whether a worker takes a GPU")
    parser.add_argument("--name", help="the experiment's name (default: the space's, or train)")
    parser.add_argument("--storage", help="folder of experiments (default: runs)")


def _demo(arguments: argparse.Namespace) -> None:
    from raysweep.commands.demo import demo

    demo(arguments.storage)


def _prepare(arguments: argparse.Namespace) -> None:
    from raysweep.commands import prepare

    request = _request(arguments)
    if arguments.verify:
        return prepare.verify(request)
    if arguments.dry_run:
        return prepare.estimate(request)
    return prepare.prepare(request, update=arguments.update, preview=arguments.preview)


def _train(arguments: argparse.Namespace) -> None:
    from raysweep.commands import train

    if arguments.origin is None:
        if arguments.trial is not None:
            raise UserError("--trial goes with --from EXPERIMENT, which is missing. Name both.")
        return train.train(_request(arguments), arguments.dry_run)
    given = [word for word in ("config", "data", "name", "storage") if getattr(arguments, word)]
    if given:
        raise UserError(
            f"--from takes all settings from a trial, and --{given[0]} was given. Change some with --set."
        )
    trial = arguments.trial or "best"
    return train.again(arguments.origin, trial, arguments.set, arguments.dry_run)


def _describe(arguments: argparse.Namespace) -> None:
    from raysweep.commands.describe import describe
    from raysweep.commands.plan import Request

    describe(arguments.model, Request(config=arguments.config, assignments=arguments.set))


def _sweep(arguments: argparse.Namespace) -> None:
    from raysweep.commands.dry_run import print_plan
    from raysweep.commands.plan import check, compose
    from raysweep.commands.spaces import load_space

    if (arguments.space is None) is (arguments.tasks is None):
        raise UserError("sweep takes a space or --tasks FOLDER, and one of them. Name one.")
    if arguments.tasks is not None:
        return _sweep_tasks(arguments)
    space = load_space(arguments.space)
    plan = check(compose(_request(arguments), space, arguments.space), space)
    if arguments.dry_run:
        return print_plan(plan)
    from raysweep.commands.sweep import start  # here, since a dry run does without Ray

    return start(plan, space)


def _sweep_tasks(arguments: argparse.Namespace) -> None:
    from raysweep.commands.dry_run import print_tasks
    from raysweep.commands.plan import check, compose_tasks

    given = [word for word in ("config", "trials", "warm_start") if getattr(arguments, word)]
    if given:
        raise UserError(
            f"--tasks takes all settings from its files, and --{given[0].replace('_', '-')} was given. Change some with --set."
        )
    plan = check(compose_tasks(_request(arguments), arguments.tasks), None)
    if arguments.dry_run:
        return print_tasks(plan)
    from raysweep.commands.sweep import start

    return start(plan, None)


def _resume(arguments: argparse.Namespace) -> None:
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    from raysweep.commands.control import extension
    from raysweep.commands.standing import standing

    more = extension(standing(experiment), arguments.trials, arguments.steps, arguments.set)
    from raysweep.commands.sweep import resume  # here, since a refusal does without Ray

    resume(experiment, more)


def _stop(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import stop
    from raysweep.experiment.mirror import opened

    stop(opened(arguments.experiment), arguments.trial)


def _enqueue(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import enqueue
    from raysweep.experiment.mirror import opened

    enqueue(opened(arguments.experiment), arguments.set)


def _status(arguments: argparse.Namespace) -> None:
    from raysweep.commands.status import status
    from raysweep.experiment.mirror import opened

    status(opened(arguments.experiment))


def _export(arguments: argparse.Namespace) -> None:
    from raysweep.commands.export import export_front, export_trial
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if arguments.trial == "pareto":
        export_front(experiment, arguments.out, arguments.format)
    else:
        export_trial(experiment, arguments.trial, arguments.out, arguments.format)


def _request(arguments: argparse.Namespace) -> "Request":
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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
