"""Commands of a sweep: begun and steered."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raysweep.cli.command import (
    RESUME,
    Command,
    experiment_word,
    request_of,
    run_words,
    supervise_word,
)
from raysweep.errors import UserError

if TYPE_CHECKING:
    from raysweep.commands.errand import Errand
    from raysweep.commands.plan import Plan
    from raysweep.search.study import Space


def _sweep_words(parser: argparse.ArgumentParser) -> None:
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
    run_words(parser)
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
    supervise_word(parser)


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
    plan = check(compose(request_of(arguments), space, arguments.space), space)
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
    plan = check(compose_tasks(request_of(arguments), arguments.tasks), None)
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


def _resume_words(parser: argparse.ArgumentParser) -> None:
    experiment_word(parser)
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
        "--retry-failed",
        action="store_true",
        help="also go on with trials that failed, from their last checkpoints, once what they failed of is mended",
    )
    parser.add_argument(
        "--if-died",
        action="store_true",
        help="as a supervisor does: only where the last driver died, and up to three times in a row without any "
        "trial's report; waits for the cluster",
    )
    supervise_word(parser)


def _resume(arguments: argparse.Namespace) -> int | None:
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if arguments.supervise:
        return _supervised(arguments, experiment.where)
    from raysweep.cluster.runtime import wait_for_head
    from raysweep.commands.console import say
    from raysweep.commands.control import extension, require_failed
    from raysweep.commands.standing import standing
    from raysweep.commands.supervise import note_restart

    if arguments.if_died:
        wait_for_head(say)
        note_restart(experiment)
    now = standing(experiment)
    more = extension(now, arguments.trials, arguments.steps, arguments.set)
    if arguments.retry_failed:
        require_failed(now)
    from raysweep.commands.sweep import resume  # here, since a refusal does without Ray

    resume(experiment, more, retries_failed=arguments.retry_failed)
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


def _submit_words(parser: argparse.ArgumentParser) -> None:
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
    from raysweep.cli import parser  # here, since it holds these words too
    from raysweep.commands.errand import Errand

    asked = parser().parse_args(words)
    if asked.command not in ("sweep", "train", "resume", "prepare"):
        raise UserError(
            f"a cluster is sent sweep, train, resume or prepare, got {words[0]}. Run it here."
        )
    there = getattr(asked, "experiment", None) or getattr(asked, "origin", None)
    if there is not None:
        return Errand(words, experiment=str(there))
    space, tasks = getattr(asked, "space", None), getattr(asked, "tasks", None)
    return Errand(words, request_of(asked), space, tasks)


def _stop_words(parser: argparse.ArgumentParser) -> None:
    experiment_word(parser)
    parser.add_argument("--trial", required=True, help="its id; its latest checkpoint stays")


def _stop(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import stop
    from raysweep.experiment.mirror import opened

    stop(opened(arguments.experiment), arguments.trial)


def _enqueue_words(parser: argparse.ArgumentParser) -> None:
    experiment_word(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="one setting over those that all trials share",
    )


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


COMMANDS = {
    "sweep": Command("search a space for the best tokenizer", _sweep_words, _sweep, RESUME),
    "resume": Command(
        "go on with an interrupted experiment, or extend one", _resume_words, _resume, RESUME
    ),
    "submit": Command("run a command on a cluster, as a Ray job", _submit_words, _submit),
    "stop": Command("end one trial of a sweep, which goes on without it", _stop_words, _stop),
    "enqueue": Command("run a trial of given settings next, in a sweep", _enqueue_words, _enqueue),
    "pause": Command(
        "let every trial of a sweep rest from its next checkpoint on", experiment_word, _pause
    ),
    "unpause": Command("go on with a sweep that was paused", experiment_word, _unpause, RESUME),
}
