"""The command line: words in, a call and an exit code out. 0 done, 1 it failed, 2 the input is wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from raysweep.errors import RaysweepError, UserError

if TYPE_CHECKING:
    from raysweep.commands.errand import Errand
    from raysweep.commands.plan import Plan, Request
    from raysweep.search.study import Space

Command = Callable[[argparse.Namespace], int | None]
"""None: done, as 0."""


def main(words: Sequence[str] | None = None) -> int:
    try:
        arguments = _parser().parse_args(words)
        arguments.typed = sys.argv[1:] if words is None else words
        return arguments.command(arguments) or 0
    except UserError as error:
        print(f"raysweep: {_one_line(error)}", file=sys.stderr)
        return 2
    except RaysweepError as error:
        print(f"raysweep: {_one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("raysweep: interrupted; `raysweep resume` goes on from here", file=sys.stderr)
        return 1


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
    before = sweep.add_mutually_exclusive_group()
    before.add_argument(
        "--dry-run", action="store_true", help="print what would run, and start nothing"
    )
    before.add_argument(
        "--estimate",
        action="store_true",
        help="time some steps of the cheapest and of the dearest trial here, print what the sweep would "
        "take, and start nothing",
    )
    sweep.add_argument(
        "--price",
        type=float,
        metavar="DOLLARS",
        help="of an hour of a GPU: with --estimate, also in money",
    )

    _add_supervise(sweep)

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

    resume.add_argument(
        "--if-died",
        action="store_true",
        help="as a supervisor does: only where the last driver died, and up to three times in a row without any "
        "trial's report; waits for the cluster",
    )
    _add_supervise(resume)

    submit = _add(commands, "submit", _submit, "run a command on a cluster, as a Ray job")
    submit.add_argument(
        "--address",
        metavar="URL",
        help="of the cluster's dashboard (default: RAY_API_SERVER_ADDRESS, or a cluster of this machine)",
    )
    submit.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME",
        help="a variable of this environment that goes along, such as WANDB_API_KEY; its value is not printed",
    )
    submit.add_argument(
        "--no-wait", action="store_true", help="leave once it is submitted, rather than follow it"
    )
    submit.add_argument(
        "--supervise",
        action="store_true",
        help="go on when its driver or the head dies; this process is to outlive them",
    )
    submit.add_argument(
        "--dry-run",
        action="store_true",
        help="check it, print the line that submits it, and start nothing",
    )
    submit.add_argument(
        "errand",
        nargs="+",
        metavar="-- COMMAND",
        help="sweep, train, resume or prepare, and its words",
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

    pause = _add(
        commands, "pause", _pause, "let every trial of a sweep rest from its next checkpoint on"
    )
    pause.add_argument("experiment")

    unpause = _add(commands, "unpause", _unpause, "go on with a sweep that was paused")
    unpause.add_argument("experiment")

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

    doctor = _add(
        commands, "doctor", _doctor, "what machines lack to run trials, and what to do about it"
    )
    doctor.add_argument(
        "--address",
        help="of a cluster, each of whose nodes is looked at (default: RAY_ADDRESS; without it this machine alone)",
    )
    doctor.add_argument(
        "--storage",
        help="folder of experiments that every node is to write to (default: not looked at)",
    )
    doctor.add_argument(
        "--fetch-weights",
        action="store_true",
        help="first fetch the networks of LPIPS and rFID to this machine, and copy them to every node",
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
    parser.add_argument(
        "--storage", help="folder or address (s3://...) of experiments (default: runs)"
    )


def _add_supervise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--supervise",
        action="store_true",
        help="run the driver in another process, and go on for it where it dies",
    )


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


def _sweep(arguments: argparse.Namespace) -> int | None:
    from raysweep.commands.dry_run import print_plan
    from raysweep.commands.plan import check, compose
    from raysweep.commands.spaces import load_space

    if (arguments.space is None) is (arguments.tasks is None):
        raise UserError("sweep takes a space or --tasks FOLDER, and one of them. Name one.")
    if arguments.price is not None and not arguments.estimate:
        raise UserError("--price goes with --estimate, which is missing. Name both.")
    if arguments.tasks is not None:
        return _sweep_tasks(arguments)
    space = load_space(arguments.space)
    plan = check(compose(_request(arguments), space, arguments.space), space)
    if arguments.dry_run:
        print_plan(plan)
        return None
    if arguments.estimate:
        _forecast(plan, space.space, arguments.price)
        return None
    if arguments.supervise:
        return _supervised(arguments, plan.experiment.where)
    from raysweep.commands.sweep import start  # here, since a dry run does without Ray

    start(plan, space)
    return None


def _sweep_tasks(arguments: argparse.Namespace) -> int | None:
    from raysweep.commands.dry_run import print_tasks
    from raysweep.commands.plan import check, compose_tasks

    given = [word for word in ("config", "trials", "warm_start") if getattr(arguments, word)]
    if given:
        raise UserError(
            f"--tasks takes all settings from its files, and --{given[0].replace('_', '-')} was given. Change some with --set."
        )
    plan = check(compose_tasks(_request(arguments), arguments.tasks), None)
    if arguments.dry_run:
        print_tasks(plan)
        return None
    if arguments.estimate:
        _forecast(plan, None, arguments.price)
        return None
    if arguments.supervise:
        return _supervised(arguments, plan.experiment.where)
    from raysweep.commands.sweep import start

    start(plan, None)
    return None


def _forecast(plan: "Plan", space: "Space | None", price: float | None) -> None:
    from raysweep.commands.forecast import forecast

    forecast(plan, space, price)


def _resume(arguments: argparse.Namespace) -> int | None:
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if arguments.supervise:
        return _supervised(arguments, experiment.where)
    from raysweep.cluster.runtime import wait_for_head
    from raysweep.commands.console import say
    from raysweep.commands.control import extension
    from raysweep.commands.standing import standing
    from raysweep.commands.supervise import note_restart

    if arguments.if_died:
        wait_for_head(say)
        note_restart(experiment)
    more = extension(standing(experiment), arguments.trials, arguments.steps, arguments.set)
    from raysweep.commands.sweep import resume  # here, since a refusal does without Ray

    resume(experiment, more)
    return None


def _supervised(arguments: argparse.Namespace, experiment: str) -> int:
    from raysweep.commands.supervise import in_a_process, supervise

    shortest, whole = "--su", "--supervise"  # options may be cut short
    words = [
        word
        for word in arguments.typed
        if not (word.startswith(shortest) and whole.startswith(word))
    ]
    return supervise(in_a_process, words, experiment)


def _submit(arguments: argparse.Namespace) -> int:
    from raysweep.commands.submit import submit

    return submit(
        _errand(arguments.errand),
        arguments.address,
        arguments.env,
        wait=not arguments.no_wait,
        again=arguments.supervise,
        dry_run=arguments.dry_run,
    )


def _errand(words: Sequence[str]) -> "Errand":
    from raysweep.commands.errand import Errand

    asked = _parser().parse_args(words)
    if asked.command not in (_sweep, _train, _resume, _prepare):
        raise UserError(
            f"a cluster is sent sweep, train, resume or prepare, got {words[0]}. Run it here."
        )
    there = getattr(asked, "experiment", None) or getattr(asked, "origin", None)
    if there is not None:
        return Errand(words, experiment=str(there))
    space, tasks = getattr(asked, "space", None), getattr(asked, "tasks", None)
    return Errand(words, _request(asked), space, tasks)


def _stop(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import stop
    from raysweep.experiment.mirror import opened

    stop(opened(arguments.experiment), arguments.trial)


def _enqueue(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import enqueue
    from raysweep.experiment.mirror import opened

    enqueue(opened(arguments.experiment), arguments.set)


def _pause(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import pause
    from raysweep.experiment.mirror import opened

    pause(opened(arguments.experiment))


def _unpause(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import unpause
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if unpause(experiment):
        from raysweep.commands.sweep import resume

        resume(experiment)


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


def _doctor(arguments: argparse.Namespace) -> None:
    from raysweep.commands.doctor import doctor

    doctor(arguments.address, arguments.storage, arguments.fetch_weights)


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
